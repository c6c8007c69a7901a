package named

// Class is a kind of object that has a name in the system.
type Class struct {
	Name string
	// Remove removes the object of an entry, unless it is gone or is not the one
	// that the entry speaks of. It returns what the system refused.
	Remove func(Entry) error
	// Exists reports whether the object of the entry, and no other, is there.
	Exists func(Entry) bool
}

// Entry is an object on record.
type Entry struct {
	Class string
	Name  string // a path, /jobs, or a key
	// ID tells the object from others of its name: an inode number, or what the
	// kernel calls it. 0 while it is being made, and for names that are unique
	// to a run.
	ID uint64
}

var classes = map[string]Class{}

// Register adds a class. A duplicate is a mistake of ours.
func Register(c Class) {
	if _, dup := classes[c.Name]; dup {
		panic("named: " + c.Name + " registered twice")
	}
	classes[c.Name] = c
}

// remove removes the object of an entry and reports whether it is gone.
func (e Entry) remove() (gone bool, err error) {
	c, ok := classes[e.Class]
	if !ok {
		return true, nil
	}
	err = c.Remove(e)
	return !c.Exists(e), err
}
