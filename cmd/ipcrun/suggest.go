package main

import "ipcrun/spec/diag"

// suggest is "did you mean x?", "" if nothing is near.
func suggest(word string, from []string) string { return diag.Suggest(word, from) }
