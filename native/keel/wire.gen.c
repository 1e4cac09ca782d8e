/* Generated from native/keel/wire/declaration.ts by `npm run generate`. Do not edit. */
#include "wire.gen.h"

static void decode_id_map(struct wire_reader *r, struct wire_id_map *v)
{
	v->inside = wire_read_u32(r);
	v->outside = wire_read_u32(r);
	v->count = wire_read_u32(r);
}

static void decode_mount_parameter(struct wire_reader *r, struct wire_mount_parameter *v)
{
	v->key = wire_read_string(r);
	v->value = wire_read_string(r);
}

static void decode_setting(struct wire_reader *r, struct wire_setting *v)
{
	v->key = wire_read_string(r);
	v->value = wire_read_string(r);
}

static void decode_landlock_path(struct wire_reader *r, struct wire_landlock_path *v)
{
	v->path = wire_read_string(r);
	v->access = wire_read_u64(r);
}

static void decode_landlock_port(struct wire_reader *r, struct wire_landlock_port *v)
{
	v->port = wire_read_u16(r);
	v->access = wire_read_u64(r);
}

static void decode_xattr(struct wire_reader *r, struct wire_xattr *v)
{
	v->name = wire_read_string(r);
	v->value = wire_read_bytes(r);
}

static void decode_file_choice(struct wire_reader *r, struct wire_file_choice *v)
{
	v->name = wire_read_string(r);
	v->data = wire_read_string(r);
}

static void decode_timestamp(struct wire_reader *r, struct wire_timestamp *v)
{
	v->seconds = wire_read_i64(r);
	v->nanoseconds = wire_read_u32(r);
}

static void decode_record(struct wire_reader *r, struct wire_record *v)
{
	v->before = wire_read_string(r);
	v->after = wire_read_string(r);
}

static void decode_list_string(struct wire_reader *r, struct wire_list_string *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		v->items[i] = wire_read_string(r);
	}
}

static void decode_list_file_choice(struct wire_reader *r, struct wire_list_file_choice *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_file_choice(r, &v->items[i]);
	}
}

static void decode_list_mount_parameter(struct wire_reader *r, struct wire_list_mount_parameter *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_mount_parameter(r, &v->items[i]);
	}
}

static void decode_list_id_map(struct wire_reader *r, struct wire_list_id_map *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_id_map(r, &v->items[i]);
	}
}

static void decode_list_u32(struct wire_reader *r, struct wire_list_u32 *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		v->items[i] = wire_read_u32(r);
	}
}

static void decode_list_landlock_path(struct wire_reader *r, struct wire_list_landlock_path *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_landlock_path(r, &v->items[i]);
	}
}

static void decode_list_landlock_port(struct wire_reader *r, struct wire_list_landlock_port *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_landlock_port(r, &v->items[i]);
	}
}

static void decode_list_setting(struct wire_reader *r, struct wire_list_setting *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_setting(r, &v->items[i]);
	}
}

static void decode_list_xattr(struct wire_reader *r, struct wire_list_xattr *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		decode_xattr(r, &v->items[i]);
	}
}

static void decode_op_clone(struct wire_reader *r, struct op_clone *v)
{
	v->namespaces = wire_read_u64(r);
	v->cgroup = wire_read_string(r);
}

static void decode_op_join_namespace(struct wire_reader *r, struct op_join_namespace *v)
{
	v->kind = wire_read_u64(r);
	v->path = wire_read_string(r);
}

static void decode_op_join_container(struct wire_reader *r, struct op_join_container *v)
{
	v->namespaces = wire_read_u64(r);
}

static void decode_op_exec(struct wire_reader *r, struct op_exec *v)
{
	decode_list_string(r, &v->arguments);
	decode_list_string(r, &v->environment);
	v->init = wire_read_bool(r);
}

static void decode_op_find_executable(struct wire_reader *r, struct op_find_executable *v)
{
	v->command = wire_read_string(r);
	v->path = wire_read_string(r);
	v->directory = wire_read_string(r);
}

static void decode_op_parent_death_signal(struct wire_reader *r, struct op_parent_death_signal *v)
{
	v->signal = wire_read_u32(r);
}

static void decode_op_terminal(struct wire_reader *r, struct op_terminal *v)
{
	v->columns = wire_read_u32(r);
	v->rows = wire_read_u32(r);
	v->console = wire_read_bool(r);
}

static void decode_op_stdio_owner(struct wire_reader *r, struct op_stdio_owner *v)
{
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
}

static void decode_op_start_socket(struct wire_reader *r, struct op_start_socket *v)
{
	v->directory = wire_read_string(r);
}

static void decode_op_hook(struct wire_reader *r, struct op_hook *v)
{
	v->parent = wire_read_bool(r);
	v->path = wire_read_string(r);
	decode_list_string(r, &v->arguments);
	decode_list_string(r, &v->environment);
	v->directory = wire_read_string(r);
	v->timeout = wire_read_u32(r);
	v->before = wire_read_string(r);
	v->after = wire_read_string(r);
}

static void decode_op_seccomp_listener(struct wire_reader *r, struct op_seccomp_listener *v)
{
	v->path = wire_read_string(r);
	v->before = wire_read_string(r);
	v->between = wire_read_string(r);
	v->after = wire_read_string(r);
	v->pidfd = wire_read_bool(r);
}

static void decode_op_cgroup_create(struct wire_reader *r, struct op_cgroup_create *v)
{
	v->path = wire_read_string(r);
	v->mount = wire_read_string(r);
	v->cpuset = wire_read_bool(r);
	decode_list_string(r, &v->controllers);
}

static void decode_op_join_cgroup(struct wire_reader *r, struct op_join_cgroup *v)
{
	decode_list_string(r, &v->paths);
	v->unshare = wire_read_bool(r);
}

static void decode_op_write_file(struct wire_reader *r, struct op_write_file *v)
{
	v->path = wire_read_string(r);
	v->data = wire_read_string(r);
	v->tolerate = wire_read_bool(r);
}

static void decode_op_cgroup_device_filter(struct wire_reader *r, struct op_cgroup_device_filter *v)
{
	v->path = wire_read_string(r);
	v->program = wire_read_bytes(r);
}

static void decode_op_cgroup_kill(struct wire_reader *r, struct op_cgroup_kill *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_cgroup_remove(struct wire_reader *r, struct op_cgroup_remove *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_freeze(struct wire_reader *r, struct op_freeze *v)
{
	v->path = wire_read_string(r);
	v->frozen = wire_read_bool(r);
}

static void decode_op_write_first(struct wire_reader *r, struct op_write_first *v)
{
	v->directory = wire_read_string(r);
	decode_list_file_choice(r, &v->choices);
}

static void decode_op_cgroup_owner(struct wire_reader *r, struct op_cgroup_owner *v)
{
	v->path = wire_read_string(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
	decode_list_string(r, &v->files);
}

static void decode_op_propagation(struct wire_reader *r, struct op_propagation *v)
{
	v->mode = wire_read_u64(r);
	v->recursive = wire_read_bool(r);
}

static void decode_op_root_overlay(struct wire_reader *r, struct op_root_overlay *v)
{
	decode_list_string(r, &v->lower);
	v->upper = wire_read_string(r);
	v->work = wire_read_string(r);
	decode_list_mount_parameter(r, &v->parameters);
	v->target = wire_read_string(r);
}

static void decode_op_root_bind(struct wire_reader *r, struct op_root_bind *v)
{
	v->path = wire_read_string(r);
	v->recursive = wire_read_bool(r);
}

static void decode_op_root_directory(struct wire_reader *r, struct op_root_directory *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_mount(struct wire_reader *r, struct op_mount *v)
{
	v->type = wire_read_string(r);
	v->source = wire_read_string(r);
	v->target = wire_read_string(r);
	v->attributes = wire_read_u64(r);
	decode_list_mount_parameter(r, &v->parameters);
	v->mode = wire_read_u32(r);
}

static void decode_op_bind(struct wire_reader *r, struct op_bind *v)
{
	v->source = wire_read_string(r);
	v->target = wire_read_string(r);
	v->recursive = wire_read_bool(r);
	v->set = wire_read_u64(r);
	v->clear = wire_read_u64(r);
	v->set_recursive = wire_read_u64(r);
	v->clear_recursive = wire_read_u64(r);
	v->propagation = wire_read_u64(r);
	v->propagation_recursive = wire_read_bool(r);
}

static void decode_op_mount_attributes(struct wire_reader *r, struct op_mount_attributes *v)
{
	v->path = wire_read_string(r);
	v->set = wire_read_u64(r);
	v->clear = wire_read_u64(r);
	v->recursive = wire_read_bool(r);
}

static void decode_op_directory(struct wire_reader *r, struct op_directory *v)
{
	v->path = wire_read_string(r);
	v->mode = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
}

static void decode_op_symlink(struct wire_reader *r, struct op_symlink *v)
{
	v->target = wire_read_string(r);
	v->path = wire_read_string(r);
}

static void decode_op_device(struct wire_reader *r, struct op_device *v)
{
	v->path = wire_read_string(r);
	v->mode = wire_read_u32(r);
	v->major = wire_read_u32(r);
	v->minor = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
}

static void decode_op_mask(struct wire_reader *r, struct op_mask *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_read_only_path(struct wire_reader *r, struct op_read_only_path *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_copy_tree(struct wire_reader *r, struct op_copy_tree *v)
{
	v->source = wire_read_string(r);
	v->destination = wire_read_string(r);
}

static void decode_op_read_file(struct wire_reader *r, struct op_read_file *v)
{
	v->path = wire_read_string(r);
	v->limit = wire_read_u32(r);
}

static void decode_op_open_source(struct wire_reader *r, struct op_open_source *v)
{
	v->slot = wire_read_u32(r);
	v->source = wire_read_string(r);
	v->recursive = wire_read_bool(r);
	v->no_follow = wire_read_bool(r);
	v->peer = wire_read_bool(r);
	v->set = wire_read_u64(r);
	v->clear = wire_read_u64(r);
	v->set_recursive = wire_read_u64(r);
	v->clear_recursive = wire_read_u64(r);
	v->propagation = wire_read_u64(r);
	v->propagation_recursive = wire_read_bool(r);
	decode_list_id_map(r, &v->uids);
	decode_list_id_map(r, &v->gids);
	v->user_namespace = wire_read_string(r);
	v->map_recursive = wire_read_bool(r);
}

static void decode_op_attach_source(struct wire_reader *r, struct op_attach_source *v)
{
	v->slot = wire_read_u32(r);
	v->target = wire_read_string(r);
	v->no_follow = wire_read_bool(r);
	v->copy_link = wire_read_bool(r);
}

static void decode_op_mount_over(struct wire_reader *r, struct op_mount_over *v)
{
	v->type = wire_read_string(r);
	v->source = wire_read_string(r);
	v->target = wire_read_string(r);
	v->attributes = wire_read_u64(r);
	decode_list_mount_parameter(r, &v->parameters);
	v->mode = wire_read_u32(r);
	v->keep_mode = wire_read_bool(r);
	v->copy = wire_read_bool(r);
}

static void decode_op_mount_propagation(struct wire_reader *r, struct op_mount_propagation *v)
{
	v->path = wire_read_string(r);
	v->mode = wire_read_u64(r);
	v->recursive = wire_read_bool(r);
}

static void decode_op_reconfigure(struct wire_reader *r, struct op_reconfigure *v)
{
	v->path = wire_read_string(r);
	decode_list_mount_parameter(r, &v->parameters);
}

static void decode_op_unmount_path(struct wire_reader *r, struct op_unmount_path *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_id_map(struct wire_reader *r, struct op_id_map *v)
{
	decode_list_id_map(r, &v->uids);
	decode_list_id_map(r, &v->gids);
	v->deny_setgroups = wire_read_bool(r);
}

static void decode_op_time_offset(struct wire_reader *r, struct op_time_offset *v)
{
	v->clock = wire_read_string(r);
	v->seconds = wire_read_i64(r);
	v->nanoseconds = wire_read_u32(r);
}

static void decode_op_hostname(struct wire_reader *r, struct op_hostname *v)
{
	v->name = wire_read_string(r);
}

static void decode_op_domainname(struct wire_reader *r, struct op_domainname *v)
{
	v->name = wire_read_string(r);
}

static void decode_op_sysctl(struct wire_reader *r, struct op_sysctl *v)
{
	v->key = wire_read_string(r);
	v->value = wire_read_string(r);
}

static void decode_op_rlimit(struct wire_reader *r, struct op_rlimit *v)
{
	v->resource = wire_read_u32(r);
	v->soft = wire_read_u64(r);
	v->hard = wire_read_u64(r);
}

static void decode_op_keyring(struct wire_reader *r, struct op_keyring *v)
{
	v->name = wire_read_string(r);
}

static void decode_op_user(struct wire_reader *r, struct op_user *v)
{
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
	decode_list_u32(r, &v->groups);
	v->umask = wire_read_u32(r);
}

static void decode_op_bounding_set(struct wire_reader *r, struct op_bounding_set *v)
{
	v->keep = wire_read_u64(r);
}

static void decode_op_capabilities(struct wire_reader *r, struct op_capabilities *v)
{
	v->effective = wire_read_u64(r);
	v->permitted = wire_read_u64(r);
	v->inheritable = wire_read_u64(r);
	v->ambient = wire_read_u64(r);
}

static void decode_op_seccomp(struct wire_reader *r, struct op_seccomp *v)
{
	v->program = wire_read_bytes(r);
	v->flags = wire_read_u32(r);
}

static void decode_op_working_directory(struct wire_reader *r, struct op_working_directory *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_scheduler(struct wire_reader *r, struct op_scheduler *v)
{
	v->policy = wire_read_u32(r);
	v->flags = wire_read_u64(r);
	v->nice = wire_read_i32(r);
	v->priority = wire_read_u32(r);
	v->runtime = wire_read_u64(r);
	v->deadline = wire_read_u64(r);
	v->period = wire_read_u64(r);
}

static void decode_op_io_priority(struct wire_reader *r, struct op_io_priority *v)
{
	v->class = wire_read_u32(r);
	v->level = wire_read_u32(r);
}

static void decode_op_cpu_affinity(struct wire_reader *r, struct op_cpu_affinity *v)
{
	decode_list_u32(r, &v->processors);
}

static void decode_op_personality(struct wire_reader *r, struct op_personality *v)
{
	v->domain = wire_read_u64(r);
}

static void decode_op_memory_policy(struct wire_reader *r, struct op_memory_policy *v)
{
	v->mode = wire_read_u32(r);
	decode_list_u32(r, &v->nodes);
}

static void decode_op_security_attribute(struct wire_reader *r, struct op_security_attribute *v)
{
	v->module = wire_read_string(r);
	v->attribute = wire_read_string(r);
	v->value = wire_read_string(r);
}

static void decode_op_remove_directory(struct wire_reader *r, struct op_remove_directory *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_directory_xattr(struct wire_reader *r, struct op_directory_xattr *v)
{
	v->path = wire_read_string(r);
	v->name = wire_read_string(r);
	v->value = wire_read_string(r);
}

static void decode_op_move_network_device(struct wire_reader *r, struct op_move_network_device *v)
{
	v->name = wire_read_string(r);
	v->new_name = wire_read_string(r);
}

static void decode_op_landlock(struct wire_reader *r, struct op_landlock *v)
{
	v->handled_files = wire_read_u64(r);
	v->handled_network = wire_read_u64(r);
	v->scoped = wire_read_u64(r);
	v->best_effort = wire_read_bool(r);
	decode_list_landlock_path(r, &v->paths);
	decode_list_landlock_port(r, &v->ports);
}

static void decode_op_remove_tree(struct wire_reader *r, struct op_remove_tree *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_unmount(struct wire_reader *r, struct op_unmount *v)
{
	v->path = wire_read_string(r);
}

static void decode_op_host_directory(struct wire_reader *r, struct op_host_directory *v)
{
	v->path = wire_read_string(r);
	v->mode = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
}

static void decode_op_netlink(struct wire_reader *r, struct op_netlink *v)
{
	v->protocol = wire_read_u32(r);
	v->messages = wire_read_bytes(r);
	v->network_namespace = wire_read_string(r);
	decode_list_string(r, &v->descriptors);
	v->purpose = wire_read_string(r);
}

static void decode_op_forward_port(struct wire_reader *r, struct op_forward_port *v)
{
	v->protocol = wire_read_u32(r);
	v->address = wire_read_string(r);
	v->port = wire_read_u32(r);
	v->target = wire_read_string(r);
	v->target_port = wire_read_u32(r);
	v->pid = wire_read_u32(r);
	v->file = wire_read_string(r);
}

static void decode_op_forward_namespace(struct wire_reader *r, struct op_forward_namespace *v)
{
	v->directory = wire_read_string(r);
	v->name = wire_read_string(r);
	v->network = wire_read_string(r);
	v->pid = wire_read_u32(r);
}

static void decode_op_memory_file(struct wire_reader *r, struct op_memory_file *v)
{
	v->path = wire_read_string(r);
	v->data = wire_read_bytes(r);
	v->mode = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
}

static void decode_op_pin_namespaces(struct wire_reader *r, struct op_pin_namespaces *v)
{
	v->namespaces = wire_read_u64(r);
	v->directory = wire_read_string(r);
	v->hostname = wire_read_string(r);
	decode_list_id_map(r, &v->uids);
	decode_list_id_map(r, &v->gids);
	decode_list_setting(r, &v->sysctls);
}

static void decode_op_root_alone(struct wire_reader *r, struct op_root_alone *v)
{
	v->read_only = wire_read_bool(r);
}

static void decode_op_mount_layers(struct wire_reader *r, struct op_mount_layers *v)
{
	decode_list_string(r, &v->lower);
	v->subpath = wire_read_string(r);
	v->target = wire_read_string(r);
	v->attributes = wire_read_u64(r);
}

static void decode_op_peer_credentials(struct wire_reader *r, struct op_peer_credentials *v)
{
	v->pid = wire_read_u32(r);
	v->descriptor = wire_read_u32(r);
}

static void decode_op_notify_service(struct wire_reader *r, struct op_notify_service *v)
{
	v->path = wire_read_string(r);
	v->pid = wire_read_u32(r);
	v->text = wire_read_string(r);
}

static void decode_op_helper(struct wire_reader *r, struct op_helper *v)
{
	v->path = wire_read_string(r);
	decode_list_string(r, &v->arguments);
	decode_list_string(r, &v->environment);
	v->input = wire_read_bytes(r);
	v->timeout = wire_read_u32(r);
	v->limit = wire_read_u32(r);
	v->succeed = wire_read_bool(r);
	v->lock = wire_read_string(r);
}

static void decode_program(struct wire_reader *r, struct wire_program *v)
{
	v->items = wire_read_list(r, sizeof(*v->items), &v->count);
	for (uint32_t i = 0; i < v->count && !r->failed; i++) {
		struct wire_operation *o = &v->items[i];
		o->number = wire_read_u16(r);
		switch (o->number) {
		case OP_CLONE:
			decode_op_clone(r, &o->u.clone);
			break;
		case OP_JOIN_NAMESPACE:
			decode_op_join_namespace(r, &o->u.join_namespace);
			break;
		case OP_JOIN_CONTAINER:
			decode_op_join_container(r, &o->u.join_container);
			break;
		case OP_WAIT_START:
			break;
		case OP_EXEC:
			decode_op_exec(r, &o->u.exec);
			break;
		case OP_FIND_EXECUTABLE:
			decode_op_find_executable(r, &o->u.find_executable);
			break;
		case OP_PARENT_DEATH_SIGNAL:
			decode_op_parent_death_signal(r, &o->u.parent_death_signal);
			break;
		case OP_SESSION:
			break;
		case OP_TERMINAL:
			decode_op_terminal(r, &o->u.terminal);
			break;
		case OP_STDIO_OWNER:
			decode_op_stdio_owner(r, &o->u.stdio_owner);
			break;
		case OP_START_SOCKET:
			decode_op_start_socket(r, &o->u.start_socket);
			break;
		case OP_HOOK:
			decode_op_hook(r, &o->u.hook);
			break;
		case OP_SECCOMP_LISTENER:
			decode_op_seccomp_listener(r, &o->u.seccomp_listener);
			break;
		case OP_CGROUP_CREATE:
			decode_op_cgroup_create(r, &o->u.cgroup_create);
			break;
		case OP_JOIN_CGROUP:
			decode_op_join_cgroup(r, &o->u.join_cgroup);
			break;
		case OP_WRITE_FILE:
			decode_op_write_file(r, &o->u.write_file);
			break;
		case OP_CGROUP_DEVICE_FILTER:
			decode_op_cgroup_device_filter(r, &o->u.cgroup_device_filter);
			break;
		case OP_CGROUP_KILL:
			decode_op_cgroup_kill(r, &o->u.cgroup_kill);
			break;
		case OP_CGROUP_REMOVE:
			decode_op_cgroup_remove(r, &o->u.cgroup_remove);
			break;
		case OP_FREEZE:
			decode_op_freeze(r, &o->u.freeze);
			break;
		case OP_WRITE_FIRST:
			decode_op_write_first(r, &o->u.write_first);
			break;
		case OP_CGROUP_OWNER:
			decode_op_cgroup_owner(r, &o->u.cgroup_owner);
			break;
		case OP_PROPAGATION:
			decode_op_propagation(r, &o->u.propagation);
			break;
		case OP_ROOT_OVERLAY:
			decode_op_root_overlay(r, &o->u.root_overlay);
			break;
		case OP_ROOT_BIND:
			decode_op_root_bind(r, &o->u.root_bind);
			break;
		case OP_ROOT_DIRECTORY:
			decode_op_root_directory(r, &o->u.root_directory);
			break;
		case OP_MOUNT:
			decode_op_mount(r, &o->u.mount);
			break;
		case OP_BIND:
			decode_op_bind(r, &o->u.bind);
			break;
		case OP_MOUNT_ATTRIBUTES:
			decode_op_mount_attributes(r, &o->u.mount_attributes);
			break;
		case OP_DIRECTORY:
			decode_op_directory(r, &o->u.directory);
			break;
		case OP_SYMLINK:
			decode_op_symlink(r, &o->u.symlink);
			break;
		case OP_DEVICE:
			decode_op_device(r, &o->u.device);
			break;
		case OP_MASK:
			decode_op_mask(r, &o->u.mask);
			break;
		case OP_READ_ONLY_PATH:
			decode_op_read_only_path(r, &o->u.read_only_path);
			break;
		case OP_COPY_TREE:
			decode_op_copy_tree(r, &o->u.copy_tree);
			break;
		case OP_READ_FILE:
			decode_op_read_file(r, &o->u.read_file);
			break;
		case OP_PIVOT_ROOT:
			break;
		case OP_OPEN_SOURCE:
			decode_op_open_source(r, &o->u.open_source);
			break;
		case OP_ATTACH_SOURCE:
			decode_op_attach_source(r, &o->u.attach_source);
			break;
		case OP_MOUNT_OVER:
			decode_op_mount_over(r, &o->u.mount_over);
			break;
		case OP_MOUNT_PROPAGATION:
			decode_op_mount_propagation(r, &o->u.mount_propagation);
			break;
		case OP_RECONFIGURE:
			decode_op_reconfigure(r, &o->u.reconfigure);
			break;
		case OP_MOVE_ROOT:
			break;
		case OP_UNMOUNT_PATH:
			decode_op_unmount_path(r, &o->u.unmount_path);
			break;
		case OP_ID_MAP:
			decode_op_id_map(r, &o->u.id_map);
			break;
		case OP_TIME_OFFSET:
			decode_op_time_offset(r, &o->u.time_offset);
			break;
		case OP_TIME_NAMESPACE:
			break;
		case OP_ENTER_TIME_NAMESPACE:
			break;
		case OP_HOSTNAME:
			decode_op_hostname(r, &o->u.hostname);
			break;
		case OP_DOMAINNAME:
			decode_op_domainname(r, &o->u.domainname);
			break;
		case OP_SYSCTL:
			decode_op_sysctl(r, &o->u.sysctl);
			break;
		case OP_LOOPBACK_UP:
			break;
		case OP_RLIMIT:
			decode_op_rlimit(r, &o->u.rlimit);
			break;
		case OP_KEYRING:
			decode_op_keyring(r, &o->u.keyring);
			break;
		case OP_USER:
			decode_op_user(r, &o->u.user);
			break;
		case OP_BOUNDING_SET:
			decode_op_bounding_set(r, &o->u.bounding_set);
			break;
		case OP_CAPABILITIES:
			decode_op_capabilities(r, &o->u.capabilities);
			break;
		case OP_NO_NEW_PRIVILEGES:
			break;
		case OP_SECCOMP:
			decode_op_seccomp(r, &o->u.seccomp);
			break;
		case OP_WORKING_DIRECTORY:
			decode_op_working_directory(r, &o->u.working_directory);
			break;
		case OP_SCHEDULER:
			decode_op_scheduler(r, &o->u.scheduler);
			break;
		case OP_IO_PRIORITY:
			decode_op_io_priority(r, &o->u.io_priority);
			break;
		case OP_CPU_AFFINITY:
			decode_op_cpu_affinity(r, &o->u.cpu_affinity);
			break;
		case OP_PERSONALITY:
			decode_op_personality(r, &o->u.personality);
			break;
		case OP_MEMORY_POLICY:
			decode_op_memory_policy(r, &o->u.memory_policy);
			break;
		case OP_SECURITY_ATTRIBUTE:
			decode_op_security_attribute(r, &o->u.security_attribute);
			break;
		case OP_REMOVE_DIRECTORY:
			decode_op_remove_directory(r, &o->u.remove_directory);
			break;
		case OP_DIRECTORY_XATTR:
			decode_op_directory_xattr(r, &o->u.directory_xattr);
			break;
		case OP_MOVE_NETWORK_DEVICE:
			decode_op_move_network_device(r, &o->u.move_network_device);
			break;
		case OP_LANDLOCK:
			decode_op_landlock(r, &o->u.landlock);
			break;
		case OP_REMOVE_TREE:
			decode_op_remove_tree(r, &o->u.remove_tree);
			break;
		case OP_UNMOUNT:
			decode_op_unmount(r, &o->u.unmount);
			break;
		case OP_HOST_DIRECTORY:
			decode_op_host_directory(r, &o->u.host_directory);
			break;
		case OP_NETLINK:
			decode_op_netlink(r, &o->u.netlink);
			break;
		case OP_FORWARD_PORT:
			decode_op_forward_port(r, &o->u.forward_port);
			break;
		case OP_FORWARD_NAMESPACE:
			decode_op_forward_namespace(r, &o->u.forward_namespace);
			break;
		case OP_MEMORY_FILE:
			decode_op_memory_file(r, &o->u.memory_file);
			break;
		case OP_PIN_NAMESPACES:
			decode_op_pin_namespaces(r, &o->u.pin_namespaces);
			break;
		case OP_ROOT_ALONE:
			decode_op_root_alone(r, &o->u.root_alone);
			break;
		case OP_MOUNT_LAYERS:
			decode_op_mount_layers(r, &o->u.mount_layers);
			break;
		case OP_PEER_CREDENTIALS:
			decode_op_peer_credentials(r, &o->u.peer_credentials);
			break;
		case OP_NOTIFY_SERVICE:
			decode_op_notify_service(r, &o->u.notify_service);
			break;
		case OP_HELPER:
			decode_op_helper(r, &o->u.helper);
			break;
		default:
			r->failed = true;
		}
	}
}

static void decode_msg_execute(struct wire_reader *r, struct msg_execute *v)
{
	decode_program(r, &v->program);
}

static void decode_msg_create(struct wire_reader *r, struct msg_create *v)
{
	v->state_directory = wire_read_string(r);
	v->log = wire_read_string(r);
	v->terminal = wire_read_bool(r);
	v->open_stdin = wire_read_bool(r);
	v->stdin_once = wire_read_bool(r);
	v->inherit_stdio = wire_read_bool(r);
	v->oom_file = wire_read_string(r);
	decode_program(r, &v->program);
	decode_program(r, &v->exit_program);
	decode_list_string(r, &v->exit_command);
	v->orphan = wire_read_bool(r);
	v->console_socket = wire_read_string(r);
	v->pidfd_socket = wire_read_string(r);
	v->preserve = wire_read_u32(r);
	v->container = wire_read_u32(r);
	v->container_start = wire_read_u64(r);
	v->journal = wire_read_string(r);
	decode_record(r, &v->start_record);
	decode_record(r, &v->exit_record);
	decode_record(r, &v->oom_record);
	v->log_max_size = wire_read_u64(r);
	v->log_max_files = wire_read_u32(r);
}

static void decode_msg_attach(struct wire_reader *r, struct msg_attach *v)
{
	v->stdin = wire_read_bool(r);
	v->output = wire_read_bool(r);
}

static void decode_msg_input(struct wire_reader *r, struct msg_input *v)
{
	v->data = wire_read_bytes(r);
}

static void decode_msg_resize(struct wire_reader *r, struct msg_resize *v)
{
	v->columns = wire_read_u32(r);
	v->rows = wire_read_u32(r);
}

static void decode_msg_signal(struct wire_reader *r, struct msg_signal *v)
{
	v->signal = wire_read_u32(r);
	v->process = wire_read_u32(r);
}

static void decode_msg_exec(struct wire_reader *r, struct msg_exec *v)
{
	v->terminal = wire_read_bool(r);
	v->open_stdin = wire_read_bool(r);
	v->output = wire_read_bool(r);
	decode_program(r, &v->program);
}

static void decode_msg_apply_open(struct wire_reader *r, struct msg_apply_open *v)
{
	v->root = wire_read_string(r);
	v->overlay = wire_read_bool(r);
}

static void decode_msg_apply_directory(struct wire_reader *r, struct msg_apply_directory *v)
{
	v->path = wire_read_string(r);
	v->mode = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
	decode_timestamp(r, &v->modified);
	decode_list_xattr(r, &v->xattrs);
}

static void decode_msg_apply_file(struct wire_reader *r, struct msg_apply_file *v)
{
	v->path = wire_read_string(r);
	v->size = wire_read_u64(r);
	v->mode = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
	decode_timestamp(r, &v->modified);
	decode_list_xattr(r, &v->xattrs);
}

static void decode_msg_apply_data(struct wire_reader *r, struct msg_apply_data *v)
{
	v->offset = wire_read_u64(r);
	v->data = wire_read_bytes(r);
}

static void decode_msg_apply_symlink(struct wire_reader *r, struct msg_apply_symlink *v)
{
	v->path = wire_read_string(r);
	v->target = wire_read_string(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
	decode_timestamp(r, &v->modified);
	decode_list_xattr(r, &v->xattrs);
}

static void decode_msg_apply_hardlink(struct wire_reader *r, struct msg_apply_hardlink *v)
{
	v->path = wire_read_string(r);
	v->target = wire_read_string(r);
}

static void decode_msg_apply_node(struct wire_reader *r, struct msg_apply_node *v)
{
	v->path = wire_read_string(r);
	v->mode = wire_read_u32(r);
	v->major = wire_read_u32(r);
	v->minor = wire_read_u32(r);
	v->uid = wire_read_u32(r);
	v->gid = wire_read_u32(r);
	decode_timestamp(r, &v->modified);
	decode_list_xattr(r, &v->xattrs);
}

static void decode_msg_apply_whiteout(struct wire_reader *r, struct msg_apply_whiteout *v)
{
	v->path = wire_read_string(r);
}

static void decode_msg_apply_opaque(struct wire_reader *r, struct msg_apply_opaque *v)
{
	v->path = wire_read_string(r);
}

static void decode_msg_apply_finish(struct wire_reader *r, struct msg_apply_finish *v)
{
	v->sync = wire_read_bool(r);
	decode_list_string(r, &v->marks);
}

static void decode_msg_browse_open(struct wire_reader *r, struct msg_browse_open *v)
{
	v->mounts = wire_read_bool(r);
	decode_program(r, &v->program);
}

static void decode_msg_browse_look(struct wire_reader *r, struct msg_browse_look *v)
{
	v->path = wire_read_string(r);
	v->follow = wire_read_bool(r);
}

static void decode_msg_browse_walk(struct wire_reader *r, struct msg_browse_walk *v)
{
	v->path = wire_read_string(r);
	v->follow = wire_read_bool(r);
	v->depth = wire_read_u8(r);
	v->cross = wire_read_bool(r);
	v->content = wire_read_bool(r);
}

bool wire_decode_message(const uint8_t *data, size_t size, struct wire_arena *arena, struct wire_message *out)
{
	struct wire_reader reader = { .next = data, .end = data + size, .arena = arena };
	struct wire_reader *r = &reader;
	memset(out, 0, sizeof(*out));
	out->request = wire_read_u32(r);
	out->kind = wire_read_u16(r);
	if (r->failed)
		return false;
	switch (out->kind) {
	case MSG_EXECUTE:
		decode_msg_execute(r, &out->u.execute);
		break;
	case MSG_CREATE:
		decode_msg_create(r, &out->u.create);
		break;
	case MSG_START:
		break;
	case MSG_ATTACH:
		decode_msg_attach(r, &out->u.attach);
		break;
	case MSG_INPUT:
		decode_msg_input(r, &out->u.input);
		break;
	case MSG_CLOSE_INPUT:
		break;
	case MSG_RESIZE:
		decode_msg_resize(r, &out->u.resize);
		break;
	case MSG_SIGNAL:
		decode_msg_signal(r, &out->u.signal);
		break;
	case MSG_WAIT:
		break;
	case MSG_STATUS:
		break;
	case MSG_EXEC:
		decode_msg_exec(r, &out->u.exec);
		break;
	case MSG_REOPEN_LOG:
		break;
	case MSG_APPLY_OPEN:
		decode_msg_apply_open(r, &out->u.apply_open);
		break;
	case MSG_APPLY_DIRECTORY:
		decode_msg_apply_directory(r, &out->u.apply_directory);
		break;
	case MSG_APPLY_FILE:
		decode_msg_apply_file(r, &out->u.apply_file);
		break;
	case MSG_APPLY_DATA:
		decode_msg_apply_data(r, &out->u.apply_data);
		break;
	case MSG_APPLY_END:
		break;
	case MSG_APPLY_SYMLINK:
		decode_msg_apply_symlink(r, &out->u.apply_symlink);
		break;
	case MSG_APPLY_HARDLINK:
		decode_msg_apply_hardlink(r, &out->u.apply_hardlink);
		break;
	case MSG_APPLY_NODE:
		decode_msg_apply_node(r, &out->u.apply_node);
		break;
	case MSG_APPLY_WHITEOUT:
		decode_msg_apply_whiteout(r, &out->u.apply_whiteout);
		break;
	case MSG_APPLY_OPAQUE:
		decode_msg_apply_opaque(r, &out->u.apply_opaque);
		break;
	case MSG_APPLY_FINISH:
		decode_msg_apply_finish(r, &out->u.apply_finish);
		break;
	case MSG_BROWSE_OPEN:
		decode_msg_browse_open(r, &out->u.browse_open);
		break;
	case MSG_BROWSE_LOOK:
		decode_msg_browse_look(r, &out->u.browse_look);
		break;
	case MSG_BROWSE_WALK:
		decode_msg_browse_walk(r, &out->u.browse_walk);
		break;
	case MSG_BROWSE_WRITE:
		break;
	default:
		return false;
	}
	return !r->failed && r->next == r->end;
}

void wire_encode_done(struct wire_writer *w, uint32_t request)
{
	size_t start = wire_begin(w, request, MSG_DONE);
	wire_finish(w, start);
}

void wire_encode_failed(struct wire_writer *w, uint32_t request, int32_t step, uint32_t error, const char *syscall, const char *detail)
{
	size_t start = wire_begin(w, request, MSG_FAILED);
	wire_write_i32(w, step);
	wire_write_u32(w, error);
	wire_write_string(w, syscall);
	wire_write_string(w, detail);
	wire_finish(w, start);
}

void wire_encode_executed(struct wire_writer *w, uint32_t request, struct wire_list_result results)
{
	size_t start = wire_begin(w, request, MSG_EXECUTED);
	wire_write_u32(w, results.count);
	for (uint32_t i = 0; i < results.count; i++) {
		wire_write_u32(w, results.items[i].step);
		wire_write_bytes(w, results.items[i].data);
	}
	wire_finish(w, start);
}

void wire_encode_created(struct wire_writer *w, uint32_t request, uint32_t pid, uint32_t monitor)
{
	size_t start = wire_begin(w, request, MSG_CREATED);
	wire_write_u32(w, pid);
	wire_write_u32(w, monitor);
	wire_finish(w, start);
}

void wire_encode_output(struct wire_writer *w, uint32_t request, uint8_t stream, struct wire_bytes data)
{
	size_t start = wire_begin(w, request, MSG_OUTPUT);
	wire_write_u8(w, stream);
	wire_write_bytes(w, data);
	wire_finish(w, start);
}

void wire_encode_exited(struct wire_writer *w, uint32_t request, uint32_t status, uint32_t signal, bool oom_killed, int64_t seconds, uint32_t nanoseconds)
{
	size_t start = wire_begin(w, request, MSG_EXITED);
	wire_write_u32(w, status);
	wire_write_u32(w, signal);
	wire_write_bool(w, oom_killed);
	wire_write_i64(w, seconds);
	wire_write_u32(w, nanoseconds);
	wire_finish(w, start);
}

void wire_encode_exec_started(struct wire_writer *w, uint32_t request, uint32_t pid)
{
	size_t start = wire_begin(w, request, MSG_EXEC_STARTED);
	wire_write_u32(w, pid);
	wire_finish(w, start);
}

void wire_encode_status_is(struct wire_writer *w, uint32_t request, uint8_t state, uint32_t pid, struct wire_list_u32 execs)
{
	size_t start = wire_begin(w, request, MSG_STATUS_IS);
	wire_write_u8(w, state);
	wire_write_u32(w, pid);
	wire_write_u32(w, execs.count);
	for (uint32_t i = 0; i < execs.count; i++) {
		wire_write_u32(w, execs.items[i]);
	}
	wire_finish(w, start);
}

void wire_encode_found(struct wire_writer *w, uint32_t request, const char *path, const char *link, uint32_t mode, uint32_t uid, uint32_t gid, uint32_t major, uint32_t minor, uint64_t size, int64_t seconds, uint32_t nanoseconds, const char *target, struct wire_list_xattr xattrs, struct wire_list_segment segments)
{
	size_t start = wire_begin(w, request, MSG_FOUND);
	wire_write_string(w, path);
	wire_write_string(w, link);
	wire_write_u32(w, mode);
	wire_write_u32(w, uid);
	wire_write_u32(w, gid);
	wire_write_u32(w, major);
	wire_write_u32(w, minor);
	wire_write_u64(w, size);
	wire_write_i64(w, seconds);
	wire_write_u32(w, nanoseconds);
	wire_write_string(w, target);
	wire_write_u32(w, xattrs.count);
	for (uint32_t i = 0; i < xattrs.count; i++) {
		wire_write_string(w, xattrs.items[i].name);
		wire_write_bytes(w, xattrs.items[i].value);
	}
	wire_write_u32(w, segments.count);
	for (uint32_t i = 0; i < segments.count; i++) {
		wire_write_u64(w, segments.items[i].offset);
		wire_write_u64(w, segments.items[i].size);
	}
	wire_finish(w, start);
}

void wire_encode_found_data(struct wire_writer *w, uint32_t request, struct wire_bytes data)
{
	size_t start = wire_begin(w, request, MSG_FOUND_DATA);
	wire_write_bytes(w, data);
	wire_finish(w, start);
}

void wire_encode_found_end(struct wire_writer *w, uint32_t request)
{
	size_t start = wire_begin(w, request, MSG_FOUND_END);
	wire_finish(w, start);
}

const char *wire_operation_name(uint16_t number)
{
	switch (number) {
	case OP_CLONE:
		return "clone";
	case OP_JOIN_NAMESPACE:
		return "join-namespace";
	case OP_JOIN_CONTAINER:
		return "join-container";
	case OP_WAIT_START:
		return "wait-start";
	case OP_EXEC:
		return "exec";
	case OP_FIND_EXECUTABLE:
		return "find-executable";
	case OP_PARENT_DEATH_SIGNAL:
		return "parent-death-signal";
	case OP_SESSION:
		return "session";
	case OP_TERMINAL:
		return "terminal";
	case OP_STDIO_OWNER:
		return "stdio-owner";
	case OP_START_SOCKET:
		return "start-socket";
	case OP_HOOK:
		return "hook";
	case OP_SECCOMP_LISTENER:
		return "seccomp-listener";
	case OP_CGROUP_CREATE:
		return "cgroup-create";
	case OP_JOIN_CGROUP:
		return "join-cgroup";
	case OP_WRITE_FILE:
		return "write-file";
	case OP_CGROUP_DEVICE_FILTER:
		return "cgroup-device-filter";
	case OP_CGROUP_KILL:
		return "cgroup-kill";
	case OP_CGROUP_REMOVE:
		return "cgroup-remove";
	case OP_FREEZE:
		return "freeze";
	case OP_WRITE_FIRST:
		return "write-first";
	case OP_CGROUP_OWNER:
		return "cgroup-owner";
	case OP_PROPAGATION:
		return "propagation";
	case OP_ROOT_OVERLAY:
		return "root-overlay";
	case OP_ROOT_BIND:
		return "root-bind";
	case OP_ROOT_DIRECTORY:
		return "root-directory";
	case OP_MOUNT:
		return "mount";
	case OP_BIND:
		return "bind";
	case OP_MOUNT_ATTRIBUTES:
		return "mount-attributes";
	case OP_DIRECTORY:
		return "directory";
	case OP_SYMLINK:
		return "symlink";
	case OP_DEVICE:
		return "device";
	case OP_MASK:
		return "mask";
	case OP_READ_ONLY_PATH:
		return "read-only-path";
	case OP_COPY_TREE:
		return "copy-tree";
	case OP_READ_FILE:
		return "read-file";
	case OP_PIVOT_ROOT:
		return "pivot-root";
	case OP_OPEN_SOURCE:
		return "open-source";
	case OP_ATTACH_SOURCE:
		return "attach-source";
	case OP_MOUNT_OVER:
		return "mount-over";
	case OP_MOUNT_PROPAGATION:
		return "mount-propagation";
	case OP_RECONFIGURE:
		return "reconfigure";
	case OP_MOVE_ROOT:
		return "move-root";
	case OP_UNMOUNT_PATH:
		return "unmount-path";
	case OP_ID_MAP:
		return "id-map";
	case OP_TIME_OFFSET:
		return "time-offset";
	case OP_TIME_NAMESPACE:
		return "time-namespace";
	case OP_ENTER_TIME_NAMESPACE:
		return "enter-time-namespace";
	case OP_HOSTNAME:
		return "hostname";
	case OP_DOMAINNAME:
		return "domainname";
	case OP_SYSCTL:
		return "sysctl";
	case OP_LOOPBACK_UP:
		return "loopback-up";
	case OP_RLIMIT:
		return "rlimit";
	case OP_KEYRING:
		return "keyring";
	case OP_USER:
		return "user";
	case OP_BOUNDING_SET:
		return "bounding-set";
	case OP_CAPABILITIES:
		return "capabilities";
	case OP_NO_NEW_PRIVILEGES:
		return "no-new-privileges";
	case OP_SECCOMP:
		return "seccomp";
	case OP_WORKING_DIRECTORY:
		return "working-directory";
	case OP_SCHEDULER:
		return "scheduler";
	case OP_IO_PRIORITY:
		return "io-priority";
	case OP_CPU_AFFINITY:
		return "cpu-affinity";
	case OP_PERSONALITY:
		return "personality";
	case OP_MEMORY_POLICY:
		return "memory-policy";
	case OP_SECURITY_ATTRIBUTE:
		return "security-attribute";
	case OP_REMOVE_DIRECTORY:
		return "remove-directory";
	case OP_DIRECTORY_XATTR:
		return "directory-xattr";
	case OP_MOVE_NETWORK_DEVICE:
		return "move-network-device";
	case OP_LANDLOCK:
		return "landlock";
	case OP_REMOVE_TREE:
		return "remove-tree";
	case OP_UNMOUNT:
		return "unmount";
	case OP_HOST_DIRECTORY:
		return "host-directory";
	case OP_NETLINK:
		return "netlink";
	case OP_FORWARD_PORT:
		return "forward-port";
	case OP_FORWARD_NAMESPACE:
		return "forward-namespace";
	case OP_MEMORY_FILE:
		return "memory-file";
	case OP_PIN_NAMESPACES:
		return "pin-namespaces";
	case OP_ROOT_ALONE:
		return "root-alone";
	case OP_MOUNT_LAYERS:
		return "mount-layers";
	case OP_PEER_CREDENTIALS:
		return "peer-credentials";
	case OP_NOTIFY_SERVICE:
		return "notify-service";
	case OP_HELPER:
		return "helper";
	default:
		return NULL;
	}
}
