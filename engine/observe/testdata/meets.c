// How two who did not inherit from one another meet, and how somebody waits for
// any of several: FIFOs, UNIX sockets, poll, select, epoll, in a fixed order.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, strerror(errno)); return 90; } } while (0)

int main(int argc, char **argv) {
	MUST(argc == 2 && chdir(argv[1]) == 0);
	char buf[16] = "x";
	close(open("plain", O_CREAT | O_RDWR, 0600)); // none of ours
	MUST(mkfifo("line", 0640) == 0);
	MUST(open("line", O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
	int in = open("line", O_RDONLY | O_NONBLOCK);
	char path[256];
	snprintf(path, sizeof path, "%s/line", argv[1]);
	int out = open(path, O_WRONLY);
	MUST(in >= 0 && out >= 0);

	int door = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "door"};
	MUST(connect(client, (struct sockaddr *)&at, sizeof at) == -1 && errno == ENOENT);
	MUST(bind(door, (struct sockaddr *)&at, sizeof at) == 0 && listen(door, 3) == 0);
	MUST(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
	int server = accept(door, NULL, NULL);
	MUST(server >= 0);

	struct pollfd p[3] = {{in, POLLIN, 0}, {-1, POLLIN, 0}, {client, POLLIN | POLLOUT, 0}};
	MUST(poll(p, 3, 5000) == 1 && p[2].revents == POLLOUT);
	MUST(poll(p, 1, 0) == 0);
	MUST(poll(NULL, 0, 0) == 0); // none of ours
	MUST(write(out, buf, 1) == 1);
	fd_set reads, writes;
	FD_ZERO(&reads);
	FD_ZERO(&writes);
	FD_SET(in, &reads);
	FD_SET(server, &reads);
	FD_SET(server, &writes);
	struct timeval limit = {2, 500};
	MUST(select(server + 1, &reads, &writes, NULL, &limit) == 2 && FD_ISSET(in, &reads) && !FD_ISSET(server, &reads));

	int ep = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = &reads};
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, in, &e) == 0);
	MUST(epoll_wait(ep, &e, 1, -1) == 1 && e.data.ptr == &reads);
	close(out);
	MUST(read(in, buf, sizeof buf) == 1);
	MUST(epoll_wait(ep, &e, 1, -1) == 1 && e.events == EPOLLHUP);
	MUST(epoll_ctl(ep, EPOLL_CTL_DEL, in, NULL) == 0);
	MUST(epoll_wait(ep, &e, 1, 0) == 0); // none of ours any more
	return 0;
}
