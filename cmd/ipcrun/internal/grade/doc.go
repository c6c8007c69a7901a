// Package grade puts submissions in the place of a process of an exercise, runs
// them, and says what each has earned. It also verifies an exercise by the
// programs whose grades are known.
//
// What a submission prints or writes decides nothing by itself: a result is made
// of what the engine saw. Submissions run in boxes, in which neither the exercise
// nor results nor other submissions can be seen, as far as the machine can hide
// them.
//
// It must never know flags, terminals or exit codes.
package grade
