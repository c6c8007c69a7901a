// Package scenes is where the primitives are tested in whole scenarios: what
// each must do according to others, what is left of one when a process is
// killed, and what only shows between processes and the engine that sees them.
//
// Nothing imports it, and its tests import neither the tests of the primitives
// nor what those need: a process of a scenario is this test binary started
// again, and pays for the initialisation of all that is linked into it.
package scenes
