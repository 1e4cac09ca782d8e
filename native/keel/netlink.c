#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, size_t body)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = NLM_F_REQUEST | flags;
	r->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
}

void netlink_add(struct netlink_request *r, uint16_t type, const void *data, size_t size)
{
	struct rtattr *a = (struct rtattr *)(void *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));
	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	r->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

void netlink_add_name(struct netlink_request *r, const char *name)
{
	netlink_add(r, IFLA_IFNAME, name, strlen(name) + 1);
}

int netlink_ask(int socket, struct netlink_request *r, int (*each)(const struct nlmsghdr *answer, void *argument),
		void *argument)
{
	static uint32_t sequence;
	_Alignas(struct nlmsghdr) char buffer[32768];
	r->header.nlmsg_seq = ++sequence;
	if (send(socket, r, r->header.nlmsg_len, 0) < 0)
		return -1;
	int result = 0;
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t room = sizeof(from);
		ssize_t size = recvfrom(socket, buffer, sizeof(buffer), MSG_TRUNC, (struct sockaddr *)&from, &room);
		/* A process of the network namespace may write here too; only the kernel is 0. */
		if ((size < 0 && errno == EINTR) || (size >= 0 && from.nl_pid != 0))
			continue;
		if (size < 0 || (size_t)size > sizeof(buffer)) {
			errno = size < 0 ? errno : EMSGSIZE;
			return -1;
		}
		unsigned int left = (unsigned int)size;
		for (struct nlmsghdr *m = (void *)buffer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_seq != sequence)
				continue;
			if (m->nlmsg_type == NLMSG_DONE)
				return result;
			if (m->nlmsg_type == NLMSG_ERROR) {
				int error = -((const struct nlmsgerr *)NLMSG_DATA(m))->error;
				if (error != 0)
					errno = error;
				return error != 0 ? -1 : result;
			}
			if (each != NULL && result == 0)
				result = each(m, argument);
		}
	}
}
