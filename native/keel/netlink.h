/* Requests to the kernel's network, one at a time (rtnetlink(7)). */
#ifndef KEEL_NETLINK_H
#define KEEL_NETLINK_H

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

struct netlink_request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	};
	char attributes[256];
};

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, size_t body);
/* There is room for all that a request of keel has. */
void netlink_add(struct netlink_request *r, uint16_t type, const void *data, size_t size);
void netlink_add_name(struct netlink_request *r, const char *name);
/* Sends, and gives each answer to `each` until the end. -1 with errno, also when `each` says so. */
int netlink_ask(int socket, struct netlink_request *r, int (*each)(const struct nlmsghdr *answer, void *argument),
		void *argument);

#endif
