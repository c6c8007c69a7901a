//go:build linux

#include "textflag.h"

#define SYS_write        1
#define SYS_rt_sigreturn 15

// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: bit n for signal n.
#define FAULTS $0x9b0
#define SIGURG $23
#define SI_TKILL $-6

// Where the kernel keeps the mask that it restores: uc_sigmask of ucontext.
#define SIGMASK 296

// Called by the kernel, on the signal stack, with all signals blocked:
// DI signal, SI *siginfo, DX *ucontext. Whatever register it changes comes
// back from the ucontext.
TEXT ·catchHandler(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL	8(SI), R10 // si_code
	CMPL	DI, SIGURG
	JEQ	urgent
	MOVQ	FAULTS, R9
	BTQ	DI, R9
	JCC	record
	CMPL	R10, $0 // positive means raised by the kernel
	JLE	record
	JMP	runtime

urgent:
	CMPL	R10, SI_TKILL
	JNE	record

runtime:
	LEAQ	·catchRuntime(SB), R8
	MOVQ	(R8)(DI*8), AX
	TESTQ	AX, AX
	JEQ	record
	JMP	AX // the runtime's handler, called as if there were no other

record:
	// Is it one that a thread which has taken it blocks from now on?
	LEAQ	·catchBlocked(SB), R8
	MOVQ	(R8), R9
	LEAQ	-1(DI), R11
	BTQ	R11, R9
	JCC	write
	MOVQ	SIGMASK(DX), R9
	BTSQ	R11, R9
	MOVQ	R9, SIGMASK(DX)
	// That was all that blockInThreads wanted of it.
	CMPL	R10, SI_TKILL
	JNE	write
	LEAQ	·catchSelf(SB), R8
	MOVL	(R8), R9
	CMPL	R9, 16(SI) // si_pid
	JNE	write
	RET

write:
	LEAQ	·catchFds(SB), R8
	MOVLQSX	(R8)(DI*4), DI
	MOVL	$128, DX
	MOVL	$SYS_write, AX
	SYSCALL
	RET // to catchRestorer

TEXT ·catchRestorer(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached

DATA ·catchHandlerAddr(SB)/8, $·catchHandler(SB)
GLOBL ·catchHandlerAddr(SB), RODATA, $8

DATA ·catchRestorerAddr(SB)/8, $·catchRestorer(SB)
GLOBL ·catchRestorerAddr(SB), RODATA, $8
