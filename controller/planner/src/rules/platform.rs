//! Processor, operating system and isolation of a task (aws.md §4.3).

use crds::ecs::task_definition::{Compatibility, CpuArchitecture, IsolationMode};

use super::finding::{Finding, error};
use super::subject::{Subject, TASK, requires};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    windows_processor(subject, found);
    isolation(subject, found);
}

fn windows_processor(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let platform = subject.task.runtime_platform.as_ref();
    let architecture = platform.and_then(|platform| platform.cpu_architecture.as_ref());
    if subject.is_windows && architecture == Some(&CpuArchitecture::Arm64) {
        found.push(
            error(
                format!("{TASK}.runtimePlatform.cpuArchitecture"),
                "`ARM64` does not run Windows containers",
            )
            .hint("use `X86_64`"),
        );
    }
}

fn isolation(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(configuration) = &subject.task.trusted_execution_configuration else { return };
    let at = format!("{TASK}.trustedExecutionConfiguration");
    let given = subject.task.requires_compatibilities.as_deref().unwrap_or_default();
    if !given.is_empty() && !requires(subject.task, &Compatibility::ManagedInstances) {
        found.push(
            error(at.clone(), "is for Managed Instances only")
                .hint("add `MANAGED_INSTANCES` to requiresCompatibilities, or leave it out"),
        );
    }
    if configuration.isolation_mode == IsolationMode::ConfidentialSandbox
        && configuration.attestation_policy.is_none()
    {
        found.push(error(
            format!("{at}.attestationPolicy"),
            "is missing, and `CONFIDENTIAL_SANDBOX` needs it",
        ));
    }
}
