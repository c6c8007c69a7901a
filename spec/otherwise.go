package spec

import (
	"strings"

	"ipcrun/spec/diag"
)

// otherwise are words of other languages and libraries, and of what they mean,
// that stand where a verb belongs: what is written here instead, and why if that
// needs saying.
var otherwise = map[string]struct{ verb, why string }{
	"unlock":     {verb: "release"},
	"post":       {verb: "release"},
	"up":         {verb: "release"},
	"sem_post":   {verb: "release"},
	"v":          {verb: "release"},
	"down":       {verb: "acquire"},
	"p":          {verb: "acquire"},
	"sem_wait":   {verb: "acquire"},
	"notify_one": {verb: "notify"},
	"broadcast":  {verb: "notify_all"},
	"push":       {verb: "put"},
	"enqueue":    {verb: "put"},
	"pop":        {verb: "get"},
	"dequeue":    {verb: "get"},
	"increment":  {verb: "add"},
	"submit":     {verb: "apply_async"},
	"receive":    {verb: "recv"},
	"echo":       {verb: "print"},
	"printf":     {verb: "print"},
	"log":        {verb: "print"},
	"waitpid":    {verb: "wait"},
	"_exit":      {verb: "exit"},
	"return":     {verb: "exit", why: "Steps return nothing; exit ends the process with an exit code, 0 at the end of its steps."},
	"sigqueue":   {verb: "kill", why: "kill with value: sends by sigqueue."},
	"put_nowait": {verb: "put", why: "block: false beside put does not wait."},
	"get_nowait": {verb: "get", why: "block: false beside get does not wait."},
	"for":        {verb: "each", why: "each: does steps for the elements of a list, repeat: does them a number of times."},
	"foreach":    {verb: "each"},
	"loop":       {verb: "repeat"},
	"until":      {verb: "while", why: "while: goes on as long as its condition holds, so the condition is turned round: not (…). To wait for a condition, the script has eventually."},
	"break":      {why: "A loop ends by its condition: use while: with a variable that let: changes."},
	"continue":   {why: "What the rest of a round is not to do stands below if:, or has when: beside it."},
	"try":        {why: "An error that is meant to come is named beside the step: error: Timeout."},
	"start":      {why: "A process starts by itself; one that has parent: is started by fork: in its parent, where that says so."},
	"spawn":      {verb: "fork"},
}

// kindOtherwise are names that kinds of primitives have elsewhere, in small letters.
var kindOtherwise = map[string]string{
	"mutex":         "lock",
	"sem":           "semaphore",
	"cond":          "condition",
	"condvar":       "condition",
	"shm":           "shared_memory",
	"shmem":         "shared_memory",
	"msgqueue":      "mqueue",
	"message_queue": "mqueue",
	"msg_queue":     "mqueue",
	"named_pipe":    "fifo",
	"socket":        "unix_socket",
	"variable":      "value",
	"counter":       "value",
	"int":           "value",
}

// kindHint is what to write for a word that is no kind of primitive.
func (ld *loader) kindHint(word string) string {
	if k := ld.voc.Kinds[kindOtherwise[strings.ToLower(word)]]; k != nil {
		return "write " + k.Name
	}
	return diag.Suggest(word, ld.voc.KindNames())
}

// instead says what to write for a word of another language where a verb belongs.
func instead(word string) (verb, detail, hint string, ok bool) {
	o, ok := otherwise[strings.ToLower(word)]
	if !ok {
		return "", "", "", false
	}
	if o.verb != "" {
		hint = "write " + o.verb
	}
	return o.verb, o.why, hint, true
}

const wideColon = "： is the full-width colon: YAML needs : and a space"
