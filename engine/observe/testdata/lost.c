// Ends with or without text in the buffers of stdio, as its argument says.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void *idle(void *p) {
	for (;;)
		pause();
	return p;
}

static void *killer(void *p) {
	raise(SIGTERM);
	return p;
}

static void *leaves(void *p) { return p; }

static void reap(pid_t pid) {
	int status;
	waitpid(pid, &status, 0);
}

int main(int argc, char **argv) {
	const char *how = argv[1];
	pthread_t t;
	pid_t pid;
	if (argc < 2)
		return 99;
	if (!strcmp(how, "child")) { // a child's own text, after its parent's
		printf("before ");
		if ((pid = fork()) == 0) {
			printf("after");
			raise(SIGTERM);
		}
		reap(pid);
		return 0;
	}
	if (!strcmp(how, "errors")) {
		static char buffer[1000]; // fewer than 128 bytes hold nothing back
		setvbuf(stderr, buffer, _IOFBF, sizeof buffer);
		fprintf(stderr, "an error");
		_exit(1);
	}
	if (!strcmp(how, "full")) { // the buffer's end has been written
		char line[16] = "0123456789abcde\n";
		for (int i = 0; i < 300; i++)
			fwrite(line, 1, sizeof line, stdout);
		raise(SIGKILL);
	}
	if (!strcmp(how, "again")) { // the same text once more
		printf("pending\n");
		fflush(stdout);
		printf("pending\nand more");
		raise(SIGTERM);
	}
	if (!strcmp(how, "inside")) { // in the middle of writing
		static char much[4096];
		memset(much, 'x', sizeof much);
		fcntl(1, F_SETFL, O_NONBLOCK);
		while (write(1, much, sizeof much) > 0)
			;
		fcntl(1, F_SETFL, 0);
		printf("pending\n");
		fflush(stdout); // nobody reads, until a signal comes
		return 98;
	}
	printf("pending\n");
	if (!strcmp(how, "killed"))
		raise(SIGTERM);
	if (!strcmp(how, "SIGKILL"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "exit"))
		return 3;
	if (!strcmp(how, "_exit"))
		_exit(3);
	if (!strcmp(how, "flush")) {
		fflush(stdout);
		raise(SIGTERM);
	}
	if (!strcmp(how, "vfork")) {
		if ((pid = vfork()) == 0)
			_exit(0);
		reap(pid);
		return 0;
	}
	if (!strcmp(how, "spawn")) { // what the child executes has a buffer of its own
		if ((pid = vfork()) == 0) {
			execl(argv[0], argv[0], "killed", NULL);
			_exit(97);
		}
		reap(pid);
		fflush(stdout);
		_exit(0);
	}
	if (!strcmp(how, "copy")) { // the child has only what its parent has
		if ((pid = fork()) == 0)
			raise(SIGTERM);
		reap(pid);
		if ((pid = fork()) == 0)
			_exit(0);
		reap(pid);
		return 0;
	}
	if (!strcmp(how, "both")) { // and the parent loses it
		if ((pid = fork()) == 0)
			raise(SIGTERM);
		reap(pid);
		raise(SIGTERM);
	}
	if (!strcmp(how, "elsewhere")) {
		dup2(open("/dev/null", O_WRONLY), 1);
		_exit(0);
	}
	if (!strcmp(how, "threads")) {
		pthread_create(&t, NULL, idle, NULL);
		pthread_create(&t, NULL, idle, NULL);
		pthread_create(&t, NULL, killer, NULL);
		pthread_exit(NULL);
	}
	if (!strcmp(how, "thread")) { // one thread ends, the process goes on
		pthread_create(&t, NULL, leaves, NULL);
		pthread_join(t, NULL);
		return 0;
	}
	return 96;
}
