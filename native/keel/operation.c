/* From an operation's number to its function. */
#include <errno.h>

#include "compat.h"
#include "context.h"

int operation_run(struct context *c, const struct wire_operation *o)
{
	switch (o->number) {
	case OP_JOIN_NAMESPACE:
		return op_join_namespace(c, &o->u.join_namespace);
	case OP_JOIN_CONTAINER:
		return op_join_container(c, &o->u.join_container);
	case OP_FIND_EXECUTABLE:
		return op_find_executable(c, &o->u.find_executable);
	case OP_PARENT_DEATH_SIGNAL:
		return op_parent_death_signal(c, &o->u.parent_death_signal);
	case OP_SESSION:
		return op_session(c);
	case OP_TERMINAL:
		return op_terminal(c, &o->u.terminal);
	case OP_STDIO_OWNER:
		return op_stdio_owner(c, &o->u.stdio_owner);
	case OP_HOOK:
		return op_hook(c, &o->u.hook);
	case OP_SECCOMP_LISTENER:
		return op_seccomp_listener(c, &o->u.seccomp_listener);
	case OP_START_SOCKET:
		return op_start_socket(c, &o->u.start_socket);
	case OP_CGROUP_CREATE:
		return op_cgroup_create(c, &o->u.cgroup_create);
	case OP_JOIN_CGROUP:
		return op_join_cgroup(c, &o->u.join_cgroup);
	case OP_WRITE_FILE:
		return op_write_file(c, &o->u.write_file);
	case OP_CGROUP_DEVICE_FILTER:
		return op_cgroup_device_filter(c, &o->u.cgroup_device_filter);
	case OP_CGROUP_KILL:
		return op_cgroup_kill(c, &o->u.cgroup_kill);
	case OP_CGROUP_REMOVE:
		return op_cgroup_remove(c, &o->u.cgroup_remove);
	case OP_FREEZE:
		return op_freeze(c, &o->u.freeze);
	case OP_WRITE_FIRST:
		return op_write_first(c, &o->u.write_first);
	case OP_CGROUP_OWNER:
		return op_cgroup_owner(c, &o->u.cgroup_owner);
	case OP_PROPAGATION:
		return op_propagation(c, &o->u.propagation);
	case OP_ROOT_OVERLAY:
		return op_root_overlay(c, &o->u.root_overlay);
	case OP_ROOT_BIND:
		return op_root_bind(c, &o->u.root_bind);
	case OP_ROOT_DIRECTORY:
		return op_root_directory(c, &o->u.root_directory);
	case OP_MOUNT:
		return op_mount(c, &o->u.mount);
	case OP_BIND:
		return op_bind(c, &o->u.bind);
	case OP_MOUNT_ATTRIBUTES:
		return op_mount_attributes(c, &o->u.mount_attributes);
	case OP_DIRECTORY:
		return op_directory(c, &o->u.directory);
	case OP_SYMLINK:
		return op_symlink(c, &o->u.symlink);
	case OP_DEVICE:
		return op_device(c, &o->u.device);
	case OP_MASK:
		return op_mask(c, &o->u.mask);
	case OP_READ_ONLY_PATH:
		return op_read_only_path(c, &o->u.read_only_path);
	case OP_COPY_TREE:
		return op_copy_tree(c, &o->u.copy_tree);
	case OP_READ_FILE:
		return op_read_file(c, &o->u.read_file);
	case OP_PIVOT_ROOT:
		return op_pivot_root(c);
	case OP_OPEN_SOURCE:
		return op_open_source(c, &o->u.open_source);
	case OP_PIN_NAMESPACES:
		return op_pin_namespaces(c, &o->u.pin_namespaces);
	case OP_MEMORY_FILE:
		return op_memory_file(c, &o->u.memory_file);
	case OP_ATTACH_SOURCE:
		return op_attach_source(c, &o->u.attach_source);
	case OP_MOUNT_OVER:
		return op_mount_over(c, &o->u.mount_over);
	case OP_MOUNT_PROPAGATION:
		return op_mount_propagation(c, &o->u.mount_propagation);
	case OP_RECONFIGURE:
		return op_reconfigure(c, &o->u.reconfigure);
	case OP_MOVE_ROOT:
		return op_move_root(c);
	case OP_UNMOUNT_PATH:
		return op_unmount_path(c, &o->u.unmount_path);
	case OP_ID_MAP:
		return op_id_map(c, &o->u.id_map);
	case OP_TIME_OFFSET:
		return op_time_offset(c, &o->u.time_offset);
	case OP_TIME_NAMESPACE:
		return op_time_namespace(c);
	case OP_ENTER_TIME_NAMESPACE:
		return op_enter_time_namespace(c);
	case OP_HOSTNAME:
		return op_hostname(c, &o->u.hostname);
	case OP_DOMAINNAME:
		return op_domainname(c, &o->u.domainname);
	case OP_SYSCTL:
		return op_sysctl(c, &o->u.sysctl);
	case OP_LOOPBACK_UP:
		return op_loopback_up(c);
	case OP_RLIMIT:
		return op_rlimit(c, &o->u.rlimit);
	case OP_KEYRING:
		return op_keyring(c, &o->u.keyring);
	case OP_USER:
		return op_user(c, &o->u.user);
	case OP_BOUNDING_SET:
		return op_bounding_set(c, &o->u.bounding_set);
	case OP_CAPABILITIES:
		return op_capabilities(c, &o->u.capabilities);
	case OP_NO_NEW_PRIVILEGES:
		return op_no_new_privileges(c);
	case OP_SECCOMP:
		return op_seccomp(c, &o->u.seccomp);
	case OP_WORKING_DIRECTORY:
		return op_working_directory(c, &o->u.working_directory);
	case OP_SCHEDULER:
		return op_scheduler(c, &o->u.scheduler);
	case OP_IO_PRIORITY:
		return op_io_priority(c, &o->u.io_priority);
	case OP_CPU_AFFINITY:
		return op_cpu_affinity(c, &o->u.cpu_affinity);
	case OP_PERSONALITY:
		return op_personality(c, &o->u.personality);
	case OP_MEMORY_POLICY:
		return op_memory_policy(c, &o->u.memory_policy);
	case OP_SECURITY_ATTRIBUTE:
		return op_security_attribute(c, &o->u.security_attribute);
	case OP_REMOVE_DIRECTORY:
		return op_remove_directory(c, &o->u.remove_directory);
	case OP_DIRECTORY_XATTR:
		return op_directory_xattr(c, &o->u.directory_xattr);
	case OP_MOVE_NETWORK_DEVICE:
		return op_move_network_device(c, &o->u.move_network_device);
	case OP_LANDLOCK:
		return op_landlock(c, &o->u.landlock);
	case OP_REMOVE_TREE:
		return op_remove_tree(c, &o->u.remove_tree);
	case OP_UNMOUNT:
		return op_unmount(c, &o->u.unmount);
	case OP_HOST_DIRECTORY:
		return op_host_directory(c, &o->u.host_directory);
	case OP_ROOT_ALONE:
		return op_root_alone(c, &o->u.root_alone);
	case OP_MOUNT_LAYERS:
		return op_mount_layers(c, &o->u.mount_layers);
	case OP_PEER_CREDENTIALS:
		return op_peer_credentials(c, &o->u.peer_credentials);
	case OP_NOTIFY_SERVICE:
		return op_notify_service(c, &o->u.notify_service);
	case OP_NETLINK:
		return op_netlink(c, &o->u.netlink);
	case OP_HELPER:
		return op_helper(c, &o->u.helper);
	case OP_FORWARD_PORT:
		return op_forward_port(c, &o->u.forward_port);
	case OP_FORWARD_NAMESPACE:
		return op_forward_namespace(c, &o->u.forward_namespace);
	default:
		return fail_with(c, ENOSYS, "keel", wire_operation_name(o->number) ?: "");
	}
}

int parent_operation(struct context *c, const struct wire_operation *o, int *fd)
{
	*fd = -1;
	switch (o->number) {
	case OP_HOOK:
		return ask_hooks(c, o);
	case OP_ID_MAP:
		return write_id_map(c, &o->u.id_map, c->child);
	case OP_TIME_OFFSET:
		return write_time_offset(c, &o->u.time_offset, c->child);
	case OP_BIND:
		return open_bind_source(c, &o->u.bind, fd);
	case OP_MOVE_NETWORK_DEVICE:
		return move_network_device(c, &o->u.move_network_device, c->child);
	case OP_SCHEDULER:
		return set_scheduler(c, &o->u.scheduler, c->child);
	case OP_IO_PRIORITY:
		return set_io_priority(c, &o->u.io_priority, c->child);
	case OP_OPEN_SOURCE:
		return open_container_source(c, &o->u.open_source, fd);
	default:
		return fail_with(c, EINVAL, "keel", "no operation of the parent");
	}
}
