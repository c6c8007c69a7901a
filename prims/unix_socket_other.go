//go:build !linux

package prims

func createSocket(*Creation) error { return errLinux }

func attachSocket(*Attachment) (any, error) { return nil, errLinux }

func (s *unixSocket) sysAccept() (int, bool, error) { return -1, false, errLinux }

func (s *unixSocket) sysConnect() (int, bool, error) { return -1, false, errLinux }

func (s *unixSocket) sysSend(int, *Call, []byte) (int, bool, error) { return 0, false, errLinux }

func (s *unixSocket) sysRecv(int, []byte) (int, bool, error) { return 0, false, errLinux }

func sysShutdown(int) {}
