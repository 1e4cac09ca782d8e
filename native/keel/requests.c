/* What clients ask a monitor for. */
#include <errno.h>
#include <stdlib.h>

#include "client.h"
#include "exit.h"
#include "log.h"
#include "session.h"

/* Sessions at once, the container's own not counted. */
#define EXECS_MAX 1024u

static void refuse(struct client *client, uint32_t request, int error, const char *syscall)
{
	client_failed(client, request, -1, (uint32_t)error, syscall, "");
}

static void start(struct client *client, uint32_t request)
{
	struct session *session = monitor.container;
	if (session->reaped || session->state != SESSION_CREATED) {
		refuse(client, request, session->reaped ? ESRCH : EALREADY, "");
		return;
	}
	struct attachment *a = attachment_new(client, session, request, ATTACH_START);
	if (a == NULL) {
		refuse(client, request, errno, "");
		return;
	}
	if (program_start(session->channel.fd) < 0) {
		int error = errno;
		attachment_free(a);
		refuse(client, request, error, "send");
		return;
	}
	session->state = SESSION_RELEASED;
	a->pending = true;
}

static void attach(struct client *client, uint32_t request, const struct msg_attach *message)
{
	struct session *session = monitor.container;
	/* With keel's own stdio there is nothing to attach to. */
	if (monitor.create->inherit_stdio && !session->terminal) {
		refuse(client, request, EINVAL, "");
		return;
	}
	struct attachment *a = attachment_new(client, session, request, ATTACH_OUTPUT);
	if (a == NULL) {
		refuse(client, request, errno, "");
		return;
	}
	a->input = message->stdin;
	a->output = message->output;
	client->sends |= a->input;
	client_done(client, request);
}

static void wait(struct client *client, uint32_t request)
{
	if (attachment_new(client, monitor.container, request, ATTACH_WAIT) == NULL)
		refuse(client, request, errno, "");
}

static void send_signal(struct client *client, uint32_t request, const struct msg_signal *message)
{
	struct session *session = monitor.container;
	if (message->process != 0) {
		for (session = sessions; session != NULL; session = session->next) {
			if (session->pid == (pid_t)message->process && !session->reaped)
				break;
		}
	}
	/* 0 would only ask whether it lives, and negative ones mean process groups to nobody here. */
	int error = session == NULL ? ESRCH : message->signal > 64 ? EINVAL : 0;
	if (error == 0 && session_signal(session, (int)message->signal) < 0)
		error = errno;
	if (error == 0)
		client_done(client, request);
	else
		refuse(client, request, error, "kill");
}

static void status(struct client *client, uint32_t request)
{
	static uint32_t pids[EXECS_MAX];
	struct wire_list_u32 execs = { .items = pids };
	for (struct session *session = sessions; session != NULL; session = session->next) {
		if (!session->container && session->state == SESSION_RUNNING && !session->reaped)
			pids[execs.count++] = (uint32_t)session->pid;
	}
	const struct session *container = monitor.container;
	uint8_t state = monitor.over ? 3 : container->state == SESSION_RUNNING || container->reaped ? 2 : 1;
	client_status(client, request, state, container->reaped ? 0 : (uint32_t)container->pid, execs);
}

static void exec(struct client *client, uint32_t request, const struct msg_exec *message)
{
	if (monitor.container->reaped) {
		refuse(client, request, ESRCH, "");
		return;
	}
	if (sessions_count() > EXECS_MAX) {
		refuse(client, request, EAGAIN, "");
		return;
	}
	if (client_attachment(client, request) != NULL) {
		refuse(client, request, EEXIST, "");
		return;
	}
	struct session_options options = {
		.program = &message->program,
		.terminal = message->terminal,
		.open_stdin = message->open_stdin,
		.output = message->output,
		.container_pidfd = monitor.container->pidfd,
	};
	const char *syscall = "";
	struct session *session = session_spawn(&options, &syscall);
	if (session == NULL) {
		refuse(client, request, errno, syscall);
		return;
	}
	struct attachment *a = attachment_new(client, session, request, ATTACH_EXEC);
	if (a == NULL) {
		/* It runs, but nobody will know. */
		refuse(client, request, errno, "");
	} else {
		a->pending = true;
		a->input = message->open_stdin;
		a->output = message->output;
		client->sends |= a->input;
	}
	session_watch(session);
}

static void reopen_log(struct client *client, uint32_t request)
{
	if (monitor.log->fd < 0)
		refuse(client, request, ENOENT, "open");
	else if (log_reopen(monitor.log) < 0)
		client_failed(client, request, -1, (uint32_t)errno, "open", monitor.log->path);
	else
		client_done(client, request);
}

/* Attached sessions of this request; NULL when it was none, or has ended meanwhile. */
static struct session *attached(struct client *client, uint32_t request)
{
	struct attachment *a = client_attachment(client, request);
	return a != NULL && (a->kind == ATTACH_OUTPUT || a->kind == ATTACH_EXEC) ? a->session : NULL;
}

static bool input(struct client *client, uint32_t request, struct wire_bytes data)
{
	if (data.size > OUTPUT_MAX)
		return false;
	struct attachment *a = client_attachment(client, request);
	if (a != NULL && a->input)
		session_input(a->session, data.data, data.size);
	return true;
}

static void close_input(struct client *client, uint32_t request)
{
	struct attachment *a = client_attachment(client, request);
	if (a == NULL || !a->input || a->session->terminal || a->session->awaits_terminal)
		return;
	a->input = false;
	session_input_end(a->session);
}

/* After the end there is nothing to do but to say so. */
static void too_late(struct client *client, const struct wire_message *message)
{
	switch (message->kind) {
	case MSG_ATTACH:
		client_done(client, message->request);
		client_exited(client, message->request, &monitor.container->outcome);
		break;
	case MSG_WAIT:
		client_exited(client, message->request, &monitor.container->outcome);
		break;
	case MSG_STATUS:
		status(client, message->request);
		break;
	case MSG_INPUT:
	case MSG_CLOSE_INPUT:
	case MSG_RESIZE:
		break;
	default:
		refuse(client, message->request, ESRCH, "");
	}
}

static bool handle(struct client *client, const struct wire_message *message)
{
	uint32_t request = message->request;
	if (monitor.over) {
		too_late(client, message);
		return true;
	}
	switch (message->kind) {
	case MSG_START:
		start(client, request);
		return true;
	case MSG_ATTACH:
		attach(client, request, &message->u.attach);
		return true;
	case MSG_INPUT:
		return input(client, request, message->u.input.data);
	case MSG_CLOSE_INPUT:
		close_input(client, request);
		return true;
	case MSG_RESIZE: {
		struct session *session = attached(client, request);
		session_resize(session == NULL ? monitor.container : session, message->u.resize.columns,
			       message->u.resize.rows);
		return true;
	}
	case MSG_SIGNAL:
		send_signal(client, request, &message->u.signal);
		return true;
	case MSG_WAIT:
		wait(client, request);
		return true;
	case MSG_STATUS:
		status(client, request);
		return true;
	case MSG_EXEC:
		exec(client, request, &message->u.exec);
		return true;
	case MSG_REOPEN_LOG:
		reopen_log(client, request);
		return true;
	default:
		refuse(client, request, EOPNOTSUPP, "");
		return true;
	}
}

bool request_handle(struct client *client, const uint8_t *frame, size_t size)
{
	struct wire_arena arena = { 0 };
	struct wire_message message;
	bool good = wire_decode_message(frame, size, &arena, &message) && handle(client, &message);
	/* A spawned program has its own copy. */
	wire_free(&arena);
	return good;
}
