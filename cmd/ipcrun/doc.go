// Command ipcrun runs scenarios: YAML files that declare processes, what they
// share and the steps they take.
//
// This package knows flags, files, terminals and exit codes. What a run looks
// like is internal/report's business, what happens in one is the engine's; it
// must never know how a process is started or a primitive made, and never
// decide whether a scenario passed.
//
// Each command is a file of its own that registers itself; only exit.go turns
// errors into exit codes.
package main
