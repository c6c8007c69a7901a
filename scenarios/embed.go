// Package scenarios holds the shipped scenarios. They are documentation that
// runs: tests run every one of them.
package scenarios

import "embed"

// Files are the shipped scenarios, by path below this folder.
//
//go:embed *.yaml */*.yaml */*/*.yaml
var Files embed.FS
