package sig

// standard are the signals 1 to 31, by number.
var standard = [32]struct {
	name    string
	action  Action
	english string
	chinese string
}{
	1:  {"HUP", Terminate, "The terminal was hung up, or the leader of its session ended.", "挂起"},
	2:  {"INT", Terminate, "Somebody pressed Ctrl-C.", "中断"},
	3:  {"QUIT", Core, "Somebody pressed Ctrl-\\.", "退出"},
	4:  {"ILL", Core, "The program ran an instruction that does not exist.", "非法指令"},
	5:  {"TRAP", Core, "The program reached a breakpoint.", "断点陷阱"},
	6:  {"ABRT", Core, "The program gave up by calling abort.", "异常中止"},
	7:  {"BUS", Core, "The program touched memory that is mapped but cannot be had.", "总线错误"},
	8:  {"FPE", Core, "The program did impossible arithmetic, such as an integer division by zero.", "算术错误"},
	9:  {"KILL", Terminate, "Ends a process for certain: it cannot be caught, ignored or blocked.", "强制终止"},
	10: {"USR1", Terminate, "Free for a program's own purposes.", "用户自定义信号1"},
	11: {"SEGV", Core, "The program touched memory that is not its own.", "段错误"},
	12: {"USR2", Terminate, "Free for a program's own purposes.", "用户自定义信号2"},
	13: {"PIPE", Terminate, "The program wrote to a pipe that nobody reads any more.", "管道破裂"},
	14: {"ALRM", Terminate, "The alarm that the program set went off.", "闹钟"},
	15: {"TERM", Terminate, "Asks a process to end; what kill sends unless told otherwise.", "终止"},
	16: {"STKFLT", Terminate, "A stack fault of a coprocessor; the kernel never sends it.", "协处理器栈错误"},
	17: {"CHLD", Ignore, "A child ended, stopped or continued.", "子进程状态改变"},
	18: {"CONT", Continue, "Makes a stopped process go on.", "继续"},
	19: {"STOP", Stop, "Stops a process for certain: it cannot be caught, ignored or blocked.", "暂停"},
	20: {"TSTP", Stop, "Somebody pressed Ctrl-Z.", "终端暂停"},
	21: {"TTIN", Stop, "A background process wanted to read from its terminal.", "后台读终端"},
	22: {"TTOU", Stop, "A background process wanted to write to its terminal or change it.", "后台写终端"},
	23: {"URG", Ignore, "Urgent data arrived on a socket.", "套接字紧急数据"},
	24: {"XCPU", Core, "The process used up its CPU time limit.", "超过CPU时间限制"},
	25: {"XFSZ", Core, "The process wrote beyond its file size limit.", "超过文件大小限制"},
	26: {"VTALRM", Terminate, "A timer that counts the program's own CPU time went off.", "虚拟定时器到期"},
	27: {"PROF", Terminate, "A profiling timer went off.", "统计定时器到期"},
	28: {"WINCH", Ignore, "The terminal's window changed its size.", "窗口大小改变"},
	29: {"IO", Terminate, "Input or output has become possible.", "可以进行输入输出"},
	30: {"PWR", Terminate, "The power is failing.", "电源故障"},
	31: {"SYS", Core, "The program made a system call that does not exist or is forbidden.", "非法系统调用"},
}
