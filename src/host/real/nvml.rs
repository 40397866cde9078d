//! NVIDIA's management library (NVML API reference), loaded at run time from the driver's own file: nothing of it is linked, and a
//! machine without it lacks nothing.

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Gpus, Touch},
    },
    model::{
        hardware::{Gpu, GpuProcess},
        text::clean,
    },
};
use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{Clock, TemperatureSensor},
    enums::device::UsedGpuMemory,
    error::NvmlError,
    struct_wrappers::device::ProcessInfo,
};
use std::{ffi::OsStr, sync::Arc};

/// What the driver's package calls it; the name without a number comes with development files only.
pub const LIBRARY: &str = "libnvidia-ml.so.1";

/// The library, open.
struct Library(Nvml);

/// Loads it.
pub fn open(library: &OsStr) -> Touch<Box<dyn Gpus>> {
    match Nvml::builder().lib_path(library).init() {
        Ok(nvml) => Ok(Box::new(Library(nvml))),
        Err(error) => Err(in_words("load", &library.to_string_lossy(), &error)),
    }
}

fn in_words(op: &'static str, spot: &str, error: &NvmlError) -> HostError {
    let kind = match error {
        NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded | NvmlError::LibraryNotFound => Kind::Absent,
        NvmlError::NoPermission => Kind::Denied,
        NvmlError::GpuLost => Kind::Gone,
        _ => Kind::Other,
    };
    HostError::plain(op, spot, kind, error.to_string())
}

impl Gpus for Library {
    fn read(&self, at: &[Arc<str>]) -> Touch<Vec<Gpu>> {
        let failed = |error| in_words("ask", LIBRARY, &error);
        if at.is_empty() {
            let count = self.0.device_count().map_err(failed)?;
            return Ok((0..count).filter_map(|i| Some(gpu(&self.0.device_by_index(i).ok()?, None))).collect());
        }
        Ok(at.iter().filter_map(|id| Some(gpu(&self.0.device_by_pci_bus_id(&**id).ok()?, Some(id)))).collect())
    }
}

/// All that this one tells: what it does not support, or not to us, is absent.
fn gpu(device: &Device<'_>, id: Option<&Arc<str>>) -> Gpu {
    let address = || device.pci_info().map(|info| clean(&short(&info.bus_id), 32)).unwrap_or_default();
    let clock = |kind| device.clock_info(kind).ok().map(|mega| u64::from(mega) * 1_000_000);
    let watts = |milli: Result<u32, NvmlError>| milli.ok().map(|milli| f64::from(milli) / 1e3);
    let mut processes: Vec<GpuProcess> = Vec::new();
    for found in [device.running_compute_processes(), device.running_graphics_processes()].into_iter().flatten().flatten() {
        let row = process(&found);
        // One that computes and draws is in both lists, with the same memory.
        if !processes.iter().any(|known| known.pid == row.pid) {
            processes.push(row);
        }
    }
    Gpu {
        id: id.map_or_else(address, Arc::clone),
        name: device.name().map(|name| clean(&name, 64)).unwrap_or_default(),
        busy: device.utilization_rates().ok().map(|rates| f64::from(rates.gpu) / 100.0),
        memory: device.memory_info().ok().map(|memory| (memory.used, memory.total)),
        temperature: device.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
        power: watts(device.power_usage()),
        power_limit: watts(device.enforced_power_limit()),
        clock: clock(Clock::Graphics),
        memory_clock: clock(Clock::Memory),
        asleep: false,
        processes,
    }
}

fn process(found: &ProcessInfo) -> GpuProcess {
    let memory = match found.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    GpuProcess { pid: found.pid, memory }
}

/// An address as sysfs writes it: `00000000:01:00.0` is `0000:01:00.0`.
fn short(address: &str) -> String {
    let lower = address.to_ascii_lowercase();
    match lower.split_once(':') {
        Some((domain, rest)) if domain.len() == 8 => format!("{}:{rest}", domain.get(4..).unwrap_or(domain)),
        _ => lower,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_absent() {
        let Err(error) = open(OsStr::new("libof-no-vendor.so.1")) else { panic!() };
        assert!(error.kind == Kind::Absent && error.to_string().contains("libof-no-vendor.so.1"), "{error}");
    }

    #[test]
    fn addresses_are_written_as_sysfs_does() {
        assert_eq!((short("00000000:01:00.0"), short("0000:0A:00.0")), ("0000:01:00.0".into(), "0000:0a:00.0".into()));
    }
}
