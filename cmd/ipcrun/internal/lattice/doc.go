// Package lattice states which package of this module may import which, and
// checks the source against it. It has tests only: what they say is policy.
//
// It knows the text of the source; it must never know what the source does.
package lattice
