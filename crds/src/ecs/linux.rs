//! The kernel's settings for a container.

use super::table::{enumerations, shapes};

shapes! {
    /// Settings of the Linux kernel for a container.
    pub struct LinuxParameters {
        /// Powers added to Docker's default set or taken from it.
        capabilities as "capabilities": Option<KernelCapabilities>;
        /// Devices of the host. Not on Fargate.
        devices as "devices": Option<Vec<Device>> => keyed_by(&["hostPath"]);
        /// Runs an init process that forwards signals and reaps processes. Default: false.
        init_process_enabled as "initProcessEnabled": Option<bool> => is_boolean(false);
        /// The size of `/dev/shm` in MiB. Not on Fargate.
        shared_memory_size as "sharedMemorySize": Option<i32>;
        /// File systems in memory. Not on Fargate.
        tmpfs as "tmpfs": Option<Vec<Tmpfs>> => keyed_by(&["containerPath"]);
        /// Swap in MiB; 0 is none. Not on Fargate. Default: the host's.
        max_swap as "maxSwap": Option<i32>;
        /// How eagerly memory is swapped, 0-100. Only with `maxSwap`. Default: 60.
        swappiness as "swappiness": Option<i32> => limits(0.0, 100.0);
    }

    /// Powers of the container's processes.
    pub struct KernelCapabilities {
        /// Powers to add. Fargate takes only `SYS_PTRACE`.
        add as "add": Option<Vec<String>> => set();
        /// Powers to take away.
        drop as "drop": Option<Vec<String>> => set();
    }

    /// A device of the host.
    pub struct Device {
        /// The device's path on the host.
        host_path as "hostPath": String;
        /// Its path in the container. Default: the same.
        container_path as "containerPath": Option<String>;
        /// What the container may do with it. Default: all three.
        permissions as "permissions": Option<Vec<DevicePermission>> => set();
    }

    /// A file system in memory.
    pub struct Tmpfs {
        /// Where it appears.
        container_path as "containerPath": String;
        /// Its size in MiB.
        size as "size": i32;
        /// Mount options, `noexec` for instance.
        mount_options as "mountOptions": Option<Vec<String>> => set();
    }

    /// A limit of the container's processes.
    pub struct Ulimit {
        /// Which limit.
        name as "name": UlimitName;
        /// The value that counts.
        soft_limit as "softLimit": i32;
        /// The value up to which a process may raise it.
        hard_limit as "hardLimit": i32;
    }

    /// A kernel parameter.
    pub struct SystemControl {
        /// The parameter, `net.core.somaxconn` for instance.
        namespace as "namespace": Option<String>;
        /// Its value.
        value as "value": Option<String>;
    }
}

enumerations! {
    /// What a container may do with a device.
    pub enum DevicePermission { Read = "read", Write = "write", Mknod = "mknod" }

    /// A limit of processes.
    pub enum UlimitName {
        Core = "core",
        Cpu = "cpu",
        Data = "data",
        Fsize = "fsize",
        Locks = "locks",
        Memlock = "memlock",
        Msgqueue = "msgqueue",
        Nice = "nice",
        Nofile = "nofile",
        Nproc = "nproc",
        Rss = "rss",
        Rtprio = "rtprio",
        Rttime = "rttime",
        Sigpending = "sigpending",
        Stack = "stack",
    }
}
