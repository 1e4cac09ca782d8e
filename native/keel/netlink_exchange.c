/*
 * The operation `netlink`: sends messages that the client made, and reads the kernel's answers. Of a message it knows the
 * header, acknowledgements (NLMSG_ERROR, NLMSG_DONE) and that netfilter's batches belong together; no attribute but those of
 * an acknowledgement (NLMSGERR_ATTR_MSG).
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "compat.h"
#include "context.h"

#ifndef NLM_F_DUMP_INTR
#define NLM_F_DUMP_INTR 0x10
#endif
#ifndef NLM_F_CAPPED
#define NLM_F_CAPPED 0x100
#endif
#ifndef NLM_F_ACK_TLVS
#define NLM_F_ACK_TLVS 0x200
#endif

/* Where the descriptors of namespaces that messages name are, far from all others. */
#define FIRST_DESCRIPTOR 200
#define MAX_DESCRIPTORS 8
/* The kernel fills at most half of it at once. */
#define RECEIVE_SIZE (64u << 10)
/* Room for the acknowledgements of a whole request, which come before the first is read. */
#define RECEIVE_QUEUE (8 << 20)
/* The kernel answers within the call that asks; this is for a kernel that does not. */
#define ANSWER_SECONDS 30

struct exchange {
	struct context *c;
	int socket;
	int memory; /* memfd of what the kernel gave back, made when it gives anything */
	size_t given;
	uint8_t *buffer; /* RECEIVE_SIZE */
	uint32_t waiting; /* acknowledgements that are still to come */
	bool failed; /* c->failure has the first refusal */
	bool changed; /* a dump was not of one moment */
};

/* One message of `size` bytes at most; its length, or 0 when it does not fit. */
static size_t message_length(const uint8_t *data, size_t size, struct nlmsghdr *header)
{
	if (size < sizeof(*header))
		return 0;
	memcpy(header, data, sizeof(*header));
	return header->nlmsg_len < sizeof(*header) || header->nlmsg_len > size ? 0 : header->nlmsg_len;
}

/* Keeps one message for the client. */
static int keep(struct exchange *x, const uint8_t *data, size_t size)
{
	static const uint8_t padding[NLMSG_ALIGNTO];
	size_t pad = NLMSG_ALIGN(size) - size;
	if (x->memory < 0)
		x->memory = memfd_create("result", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (x->memory < 0 && errno == EINVAL)
		x->memory = memfd_create("result", MFD_CLOEXEC);
	if (x->memory < 0)
		return fail(x->c, "memfd_create", "");
	x->given += size + pad;
	if (x->given > MAX_RESULT)
		return fail_with(x->c, EFBIG, "recvmsg", "more than 1 MiB of answers");
	if (write(x->memory, data, size) != (ssize_t)size || (pad > 0 && write(x->memory, padding, pad) != (ssize_t)pad))
		return fail(x->c, "write", "");
	return 0;
}

/* The kernel's words for a refusal (extended acknowledgement), added to `words`. */
static void add_reason(struct text *words, const struct nlmsghdr *header, const uint8_t *data)
{
	const struct nlmsgerr *refusal = (const struct nlmsgerr *)(const void *)(data + NLMSG_HDRLEN);
	size_t at = NLMSG_HDRLEN + sizeof(*refusal);
	if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
		return;
	if ((header->nlmsg_flags & NLM_F_CAPPED) == 0)
		at += NLMSG_ALIGN(refusal->msg.nlmsg_len) - sizeof(refusal->msg);
	while (at + NLA_HDRLEN <= header->nlmsg_len) {
		struct nlattr attribute;
		memcpy(&attribute, data + at, sizeof(attribute));
		if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > header->nlmsg_len - at)
			return;
		if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
			const char *reason = (const char *)data + at + NLA_HDRLEN;
			text_add(words, ": ");
			text_add_bytes(words, reason, strnlen(reason, attribute.nla_len - NLA_HDRLEN));
			return;
		}
		at += NLA_ALIGN(attribute.nla_len);
	}
}

/* An acknowledgement, or a dump's end. */
static int take_acknowledgement(struct exchange *x, const struct nlmsghdr *header, const uint8_t *data)
{
	size_t need = header->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	int32_t error = 0;
	if (header->nlmsg_len >= NLMSG_HDRLEN + need)
		memcpy(&error, data + NLMSG_HDRLEN, sizeof(error));
	else if (header->nlmsg_type == NLMSG_ERROR)
		return fail_with(x->c, EPROTO, "recvmsg", "a short acknowledgement");
	if (x->waiting > 0)
		x->waiting--;
	if (error >= 0 || x->failed)
		return 0;
	TEXT(words, sizeof(x->c->failure.detail));
	text_add(&words, "message ");
	text_add_number(&words, header->nlmsg_seq);
	if (header->nlmsg_type == NLMSG_ERROR)
		add_reason(&words, header, data);
	x->failed = true;
	fail_with(x->c, -error, "netlink", words.data);
	return 0;
}

static int take_answers(struct exchange *x, const uint8_t *data, size_t size)
{
	while (size > 0) {
		struct nlmsghdr header;
		size_t length = message_length(data, size, &header);
		if (length == 0)
			return fail_with(x->c, EPROTO, "recvmsg", "no netlink message");
		if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0 && header.nlmsg_type != NLMSG_ERROR)
			x->changed = true;
		int result = 0;
		if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE)
			result = take_acknowledgement(x, &header, data);
		else if (header.nlmsg_type >= NLMSG_MIN_TYPE)
			result = keep(x, data, length);
		if (result < 0)
			return -1;
		size_t whole = NLMSG_ALIGN(length);
		data += whole < size ? whole : size;
		size -= whole < size ? whole : size;
	}
	return 0;
}

/* Reads answers until all are there, or, after a refusal, as many as there are: the rest of a batch may get none. */
static int receive_answers(struct exchange *x)
{
	while (x->waiting > 0) {
		struct sockaddr_nl from;
		struct iovec part = { .iov_base = x->buffer, .iov_len = RECEIVE_SIZE };
		struct msghdr header = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t n = recvmsg(x->socket, &header, x->failed ? MSG_DONTWAIT : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && x->failed)
			return 0;
		if (n < 0)
			return fail_with(x->c, errno == EAGAIN ? ETIMEDOUT : errno, "recvmsg", "");
		if ((header.msg_flags & MSG_TRUNC) != 0)
			return fail_with(x->c, EMSGSIZE, "recvmsg", "");
		/* Any process may send to the socket's address; only the kernel's is 0. */
		if (from.nl_pid == 0 && take_answers(x, x->buffer, (size_t)n) < 0)
			return -1;
	}
	return 0;
}

/* The next part of the messages that is sent at once: one message, or a batch. Its size, or 0 when it is malformed. */
static size_t next_part(const uint8_t *data, size_t size, uint32_t *acknowledged)
{
	size_t used = 0;
	bool batch = false;
	*acknowledged = 0;
	do {
		struct nlmsghdr header;
		size_t length = message_length(data + used, size - used, &header);
		if (length == 0)
			return 0;
		if ((header.nlmsg_flags & NLM_F_ACK) != 0)
			++*acknowledged;
		if (header.nlmsg_type == NFNL_MSG_BATCH_BEGIN)
			batch = true;
		else if (header.nlmsg_type == NFNL_MSG_BATCH_END)
			batch = false;
		used += NLMSG_ALIGN(length);
		if (used > size)
			used = size;
	} while (batch && used < size);
	return used;
}

static int exchange_messages(struct exchange *x, const uint8_t *data, size_t size, bool batches)
{
	while (size > 0) {
		size_t part;
		if (batches) {
			part = next_part(data, size, &x->waiting);
		} else {
			struct nlmsghdr header;
			part = NLMSG_ALIGN(message_length(data, size, &header));
			part = part > size ? size : part;
			x->waiting = part > 0 && (header.nlmsg_flags & NLM_F_ACK) != 0 ? 1 : 0;
		}
		if (part == 0)
			return fail_with(x->c, EINVAL, "sendto", "no netlink message");
		struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
		if (sendto(x->socket, data, part, 0, (struct sockaddr *)&kernel, sizeof(kernel)) != (ssize_t)part)
			return fail(x->c, "sendto", "");
		if (receive_answers(x) < 0 || x->failed)
			return -1;
		data += part;
		size -= part;
	}
	return x->changed ? fail_with(x->c, EINTR, "netlink", "what was asked for changed meanwhile") : 0;
}

static int open_namespace(struct context *c, const char *path)
{
	scoped_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail(c, "open", path);
	if (filesystem_type(fd) != MAGIC_NSFS)
		return fail_with(c, EINVAL, "fstatfs", path);
	int result = fd;
	fd = -1;
	return result;
}

/* A socket in a network namespace, this process' own where `path` is empty. A socket stays in its namespace. */
static int open_socket(struct context *c, uint32_t protocol, const char *path)
{
	scoped_fd own = -1;
	scoped_fd other = -1;
	if (path[0] != 0) {
		own = open_namespace(c, "/proc/self/ns/net");
		other = own < 0 ? -1 : open_namespace(c, path);
		if (other < 0)
			return -1;
		if (setns(other, CLONE_NEWNET) < 0)
			return fail(c, "setns", path);
	}
	int result = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)protocol);
	if (result < 0)
		fail(c, "socket", "netlink");
	if (own >= 0 && setns(own, CLONE_NEWNET) < 0) {
		close_scope(&result);
		return fail(c, "setns", "the own network namespace");
	}
	return result;
}

static void set_options(int fd, size_t size)
{
	const int on = 1;
	const int receive = RECEIVE_QUEUE;
	const int send = (int)size + 4096;
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	/* Without the last three of these only words or room are missing, and a request that needs them fails by itself. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof(receive)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send));
}

static int open_descriptors(struct context *c, const struct wire_list_string *paths)
{
	if (paths->count > MAX_DESCRIPTORS)
		return fail_with(c, E2BIG, "dup3", "too many namespaces");
	for (uint32_t i = 0; i < paths->count; i++) {
		scoped_fd fd = open_namespace(c, paths->items[i]);
		if (fd < 0)
			return -1;
		if (fcntl(FIRST_DESCRIPTOR + (int)i, F_GETFD) >= 0)
			return fail_with(c, EBUSY, "dup3", paths->items[i]);
		if (dup3(fd, FIRST_DESCRIPTOR + (int)i, O_CLOEXEC) < 0)
			return fail(c, "dup3", paths->items[i]);
	}
	return 0;
}

static int run_exchange(struct context *c, const struct op_netlink *op)
{
	scoped_fd fd = open_socket(c, op->protocol, op->network_namespace);
	if (fd < 0)
		return -1;
	set_options(fd, op->messages.size);
	struct exchange x = { .c = c, .socket = fd, .memory = -1, .buffer = malloc(RECEIVE_SIZE) };
	if (x.buffer == NULL)
		return fail(c, "malloc", "");
	int result = exchange_messages(&x, op->messages.data, op->messages.size, op->protocol == NETLINK_NETFILTER);
	free(x.buffer);
	if (result == 0 && x.memory >= 0 && tell_monitor(c, MESSAGE_RESULT, (int32_t)c->step, x.memory) < 0)
		result = fail(c, "sendmsg", "");
	close_scope(&x.memory);
	return result;
}

int op_netlink(struct context *c, const struct op_netlink *op)
{
	int result = open_descriptors(c, &op->descriptors);
	if (result == 0)
		result = run_exchange(c, op);
	int saved = errno;
	if (op->descriptors.count > 0)
		close_range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + MAX_DESCRIPTORS - 1, 0);
	errno = saved;
	return result;
}
