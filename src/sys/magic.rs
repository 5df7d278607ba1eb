//! Kinds of file systems, as statfs(2) tells them (`f_type`).

/// `PROC_SUPER_MAGIC` of statfs(2).
pub const PROC_MAGIC: i64 = 0x9fa0;
/// `SYSFS_MAGIC`.
pub const SYSFS_MAGIC: i64 = 0x6265_6572;
/// `MQUEUE_MAGIC`, which no header has.
pub const MQUEUE_MAGIC: i64 = 0x1980_0202;
/// `CGROUP_SUPER_MAGIC` (cgroup v1).
pub const CGROUP_MAGIC: i64 = 0x27_e0eb;
/// `CGROUP2_SUPER_MAGIC`.
pub const CGROUP2_MAGIC: i64 = 0x6367_7270;
/// `RDTGROUP_SUPER_MAGIC`: the file system `resctrl`.
pub const RESCTRL_MAGIC: i64 = 0x0765_5821;
/// `NSFS_MAGIC`: what setns(2) takes.
pub const NSFS_MAGIC: i64 = 0x6e73_6673;
/// `OVERLAYFS_SUPER_MAGIC`.
pub const OVERLAY_MAGIC: i64 = 0x794c_7630;
/// `PID_FS_MAGIC`: pidfds with inodes of their own (Linux 6.9).
pub const PIDFS_MAGIC: i64 = 0x5049_4446;
/// `DEVPTS_SUPER_MAGIC`.
pub const DEVPTS_MAGIC: i64 = 0x1cd1;
