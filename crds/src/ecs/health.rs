//! When a container counts as healthy, what it waits for, and when it is restarted.

use super::table::{enumerations, shapes};

shapes! {
    /// A command that tells whether the container works.
    pub struct HealthCheck {
        /// The command: `CMD` and its arguments, or `CMD-SHELL` and one line for the shell. Exit code 0 is healthy.
        command as "command": Vec<String>;
        /// Seconds between checks. Default: 30.
        interval as "interval": Option<i32> => is_integer(30), limits(5.0, 300.0);
        /// Seconds after which a check has failed. Default: 5.
        timeout as "timeout": Option<i32> => is_integer(5), limits(2.0, 60.0);
        /// Failures in a row that make the container unhealthy. Default: 3.
        retries as "retries": Option<i32> => is_integer(3), limits(1.0, 10.0);
        /// Seconds after the start in which failures do not count. Default: 0.
        start_period as "startPeriod": Option<i32> => is_integer(0), limits(0.0, 300.0);
    }

    /// What has to have happened to another container before this one starts.
    pub struct ContainerDependency {
        /// The other container.
        container_name as "containerName": String;
        /// `START`: it runs; `COMPLETE`: it has exited; `SUCCESS`: it has exited with 0; `HEALTHY`: its check passes.
        condition as "condition": ContainerCondition;
    }

    /// When a container is restarted inside its task.
    pub struct ContainerRestartPolicy {
        /// Whether it is restarted at all.
        enabled as "enabled": bool;
        /// Exit codes after which it stays down, at most 50.
        ignored_exit_codes as "ignoredExitCodes": Option<Vec<i32>> => set();
        /// Seconds it has to run before it may be restarted again. Default: 300.
        restart_attempt_period as "restartAttemptPeriod": Option<i32> => is_integer(300), limits(60.0, 1800.0);
    }
}

enumerations! {
    /// What a container can wait for in another.
    pub enum ContainerCondition {
        Start = "START",
        Complete = "COMPLETE",
        Success = "SUCCESS",
        Healthy = "HEALTHY",
    }
}
