/*
 * Moving a network device of the host into the container's network namespace. X does all of it: the device belongs to the
 * host's namespace, and what has to be set in the container's, X may set there too. It has one netlink socket in each.
 *
 * The kernel takes a device down and its addresses away when it changes the namespace; they are read before, and added
 * again after (runtime-spec config-linux.md#network-devices; rtnetlink(7)).
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "compat.h"
#include "context.h"
#include "netlink.h"

/* Addresses of one device that are moved along. */
#define MAX_ADDRESSES 1024
/* Highest number that `%d` becomes. */
#define MAX_NUMBER 32768

/* What somebody set, and not the kernel; others may not be given to RTM_NEWADDR. */
#define KEPT_FLAGS (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

struct device {
	int index;
	bool up;
};

struct address {
	uint8_t family;
	uint8_t prefix;
	uint8_t size; /* of the addresses below */
	bool has_peer; /* `address` is another than `local` */
	bool has_broadcast;
	uint32_t flags;
	uint32_t metric; /* 0: the kernel's own */
	uint8_t local[16];
	uint8_t address[16];
	uint8_t broadcast[4];
};

struct addresses {
	int device;
	uint32_t count;
	struct address *items;
};

static int read_device(const struct nlmsghdr *answer, void *argument)
{
	struct device *device = argument;
	const struct ifinfomsg *link = NLMSG_DATA(answer);
	device->index = link->ifi_index;
	device->up = (link->ifi_flags & IFF_UP) != 0;
	return 0;
}

/* -1 with ENODEV when there is none of this name. */
static int find_device(int socket, const char *name, struct device *device)
{
	struct netlink_request r;
	netlink_begin(&r, RTM_GETLINK, NLM_F_ACK, sizeof(r.link));
	netlink_add_name(&r, name);
	return netlink_ask(socket, &r, read_device, device);
}

static int read_address(const struct nlmsghdr *answer, void *argument)
{
	struct addresses *all = argument;
	const struct ifaddrmsg *m = NLMSG_DATA(answer);
	if (answer->nlmsg_type != RTM_NEWADDR || (int)m->ifa_index != all->device || m->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	struct address a = { .family = m->ifa_family, .prefix = m->ifa_prefixlen, .flags = m->ifa_flags };
	bool has_local = false;
	size_t left = answer->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	for (const struct rtattr *t = IFA_RTA(m); RTA_OK(t, left); t = RTA_NEXT(t, left)) {
		const size_t size = RTA_PAYLOAD(t);
		if (t->rta_type == IFA_ADDRESS && size <= sizeof(a.address)) {
			memcpy(a.address, RTA_DATA(t), size);
			a.size = (uint8_t)size;
		} else if (t->rta_type == IFA_LOCAL && size <= sizeof(a.local)) {
			memcpy(a.local, RTA_DATA(t), size);
			has_local = true;
		} else if (t->rta_type == IFA_BROADCAST && size == sizeof(a.broadcast)) {
			memcpy(a.broadcast, RTA_DATA(t), size);
			a.has_broadcast = true;
		} else if (t->rta_type == IFA_FLAGS && size == sizeof(a.flags)) {
			memcpy(&a.flags, RTA_DATA(t), size);
		} else if (t->rta_type == IFA_RT_PRIORITY && size == sizeof(a.metric)) {
			memcpy(&a.metric, RTA_DATA(t), size);
		}
	}
	if ((a.flags & IFA_F_PERMANENT) == 0 || a.size == 0)
		return 0;
	if (!has_local)
		memcpy(a.local, a.address, sizeof(a.local));
	a.has_peer = memcmp(a.local, a.address, a.size) != 0;
	if (all->count == MAX_ADDRESSES) {
		errno = E2BIG;
		return -1;
	}
	all->items[all->count++] = a;
	return 0;
}

static int read_addresses(int socket, struct addresses *all)
{
	struct netlink_request r;
	netlink_begin(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.address));
	return netlink_ask(socket, &r, read_address, all);
}

static int add_address(int socket, int device, const struct address *a)
{
	struct netlink_request r;
	netlink_begin(&r, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, sizeof(r.address));
	r.address.ifa_family = a->family;
	r.address.ifa_prefixlen = a->prefix;
	r.address.ifa_scope = RT_SCOPE_UNIVERSE;
	r.address.ifa_index = (unsigned int)device;
	const uint32_t flags = a->flags & KEPT_FLAGS;
	netlink_add(&r, IFA_LOCAL, a->local, a->size);
	netlink_add(&r, IFA_ADDRESS, a->address, a->size);
	netlink_add(&r, IFA_FLAGS, &flags, sizeof(flags));
	if (a->has_broadcast)
		netlink_add(&r, IFA_BROADCAST, a->broadcast, sizeof(a->broadcast));
	if (a->metric != 0)
		netlink_add(&r, IFA_RT_PRIORITY, &a->metric, sizeof(a->metric));
	return netlink_ask(socket, &r, NULL, NULL);
}

/* Gives it its addresses in the namespace that it is in now, and brings it up. */
static int settle_device(int socket, int device, const struct addresses *all, bool up)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (add_address(socket, device, &all->items[i]) < 0)
			return -1;
	if (!up)
		return 0;
	struct netlink_request r;
	netlink_begin(&r, RTM_NEWLINK, NLM_F_ACK, sizeof(r.link));
	r.link.ifi_index = device;
	r.link.ifi_flags = IFF_UP;
	r.link.ifi_change = IFF_UP;
	return netlink_ask(socket, &r, NULL, NULL);
}

static int move_device(int socket, int device, int namespace, const char *name)
{
	struct netlink_request r;
	netlink_begin(&r, RTM_NEWLINK, NLM_F_ACK, sizeof(r.link));
	r.link.ifi_index = device;
	const uint32_t fd = (uint32_t)namespace;
	netlink_add(&r, IFLA_NET_NS_FD, &fd, sizeof(fd));
	netlink_add_name(&r, name);
	return netlink_ask(socket, &r, NULL, NULL);
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* A netlink socket stays in the namespace that it was made in. */
static int open_netlink_in(int namespace, int own)
{
	if (setns(namespace, CLONE_NEWNET) < 0)
		return -1;
	int fd = open_netlink();
	int saved = errno;
	if (setns(own, CLONE_NEWNET) < 0) {
		saved = errno;
		close_scope(&fd);
		fd = -1;
	}
	errno = saved;
	return fd;
}

/* The name that it gets: the first that is free where there is a `%d`, as the kernel would choose. */
static int choose_name(int socket, const char *wanted, char name[IFNAMSIZ])
{
	const char *number = strstr(wanted, "%d");
	for (uint32_t n = 0; n < (number == NULL ? 1 : MAX_NUMBER); n++) {
		TEXT(text, IFNAMSIZ);
		text_add_bytes(&text, wanted, number == NULL ? strlen(wanted) : (size_t)(number - wanted));
		if (number != NULL) {
			text_add_number(&text, n);
			text_add(&text, number + 2);
		}
		if (text.truncated) {
			errno = ENAMETOOLONG;
			return -1;
		}
		struct device device;
		if (find_device(socket, text.data, &device) < 0) {
			memcpy(name, text.data, text.used + 1);
			return errno == ENODEV ? 0 : -1;
		}
	}
	errno = EEXIST;
	return -1;
}

struct move {
	const char *name; /* on the host */
	char new_name[IFNAMSIZ];
	int host;	 /* netlink sockets */
	int container;
	int host_namespace;
	int container_namespace;
	bool name_taken; /* the container has a device of the old name */
	struct device device;
	struct addresses addresses;
};

/*
 * After a failure. The kernel moves first, under the old name where that is free in the container, and renames then: when
 * that fails, the device is there under its old name. A device of the container that only has the same name stays.
 */
static void put_back(const struct move *m)
{
	struct device device;
	if (find_device(m->host, m->name, &device) == 0)
		return;
	if ((m->name_taken || find_device(m->container, m->name, &device) < 0) &&
	    find_device(m->container, m->new_name, &device) < 0)
		return;
	if (move_device(m->container, device.index, m->host_namespace, m->name) == 0 &&
	    find_device(m->host, m->name, &device) == 0)
		settle_device(m->host, device.index, &m->addresses, m->device.up);
}

static int move_and_settle(struct context *c, struct move *m)
{
	struct device device;
	if (move_device(m->host, m->device.index, m->container_namespace, m->new_name) < 0)
		fail(c, "netlink RTM_NEWLINK", m->name);
	else if (find_device(m->container, m->new_name, &device) < 0)
		fail(c, "netlink RTM_GETLINK", m->new_name);
	else if (settle_device(m->container, device.index, &m->addresses, true) < 0)
		fail(c, "netlink RTM_NEWADDR", m->new_name);
	else
		return 0;
	put_back(m);
	return -1;
}

int move_network_device(struct context *c, const struct op_move_network_device *op, pid_t pid)
{
	if (op->name[0] == 0 || strlen(op->name) >= IFNAMSIZ)
		return fail_with(c, EINVAL, "netlink RTM_NEWLINK", op->name);
	struct move m = { .name = op->name };
	scoped_fd own = m.host_namespace = open_process_file(0, "ns/net", O_RDONLY);
	scoped_fd other = m.container_namespace = open_process_file(pid, "ns/net", O_RDONLY);
	if (own < 0 || other < 0)
		return fail(c, "open", "ns/net");
	scoped_fd host = m.host = open_netlink();
	if (host < 0)
		return fail(c, "socket", "");
	scoped_fd container = m.container = open_netlink_in(other, own);
	if (container < 0)
		return fail(c, "setns", "ns/net");
	if (find_device(host, op->name, &m.device) < 0)
		return fail(c, "netlink RTM_GETLINK", op->name);
	if (choose_name(container, op->new_name[0] != 0 ? op->new_name : op->name, m.new_name) < 0)
		return fail(c, "netlink RTM_NEWLINK", op->new_name);
	struct device same;
	m.name_taken = find_device(container, op->name, &same) == 0;
	m.addresses = (struct addresses){ .device = m.device.index, .items = calloc(MAX_ADDRESSES, sizeof(struct address)) };
	if (m.addresses.items == NULL)
		return fail_with(c, ENOMEM, "malloc", "");
	int result = -1;
	if (read_addresses(host, &m.addresses) < 0)
		fail(c, "netlink RTM_GETADDR", op->name);
	else
		result = move_and_settle(c, &m);
	free(m.addresses.items);
	return result;
}

int op_move_network_device(struct context *c, const struct op_move_network_device *op)
{
	return c->container ? ask_parent(c, NULL) : fail_with(c, EINVAL, "netlink RTM_NEWLINK", op->name);
}
