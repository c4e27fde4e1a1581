//! Devices that a container asks for.

use super::table::{enumerations, shapes};

shapes! {
    /// A device that a container asks for.
    pub struct ResourceRequirement {
        /// How many GPUs or Neuron devices, or the name of an inference accelerator.
        value as "value": Option<String>;
        /// The kind of device.
        r#type as "type": ResourceType;
        /// How a GPU is shared with other containers.
        sharing_strategy as "sharingStrategy": Option<SharingStrategy>;
    }

    /// How a GPU is shared.
    pub struct SharingStrategy {
        /// Sharing through NVIDIA's Multi-Process Service.
        nvidia_mps as "nvidiaMps": Option<NvidiaMpsAllocation>;
    }

    /// A container's part of a shared GPU.
    pub struct NvidiaMpsAllocation {
        /// GPU memory in MiB, all of it on one GPU.
        memory as "memory": i32;
        /// The largest share of the GPU's computing power, in percent; a limit, not a reservation. Default: 100.
        max_compute_percent as "maxComputePercent": Option<i32> => limits(1.0, 100.0);
    }
}

enumerations! {
    /// The kind of a device.
    pub enum ResourceType {
        Gpu = "GPU",
        InferenceAccelerator = "InferenceAccelerator",
        NeuronDevice = "NeuronDevice",
    }
}
