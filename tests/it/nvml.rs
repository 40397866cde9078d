//! NVIDIA's library as a stand-in: a few lines of C with the symbols that are asked for, compiled here and loaded by its path. No machine
//! with such a processor was at hand; this proves the loading, the calls and the units, not the driver.

use std::{path::Path, process::Command};
use trimtab::{host::real::nvml, model::hardware::GpuProcess};

/// Compiles the stand-in.
fn library(directory: &Path) -> std::path::PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/nvml/double.c");
    let built = directory.join("libnvidia-ml.so.1");
    let done = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&built).arg(source).status();
    assert!(done.expect("this test needs a C compiler").success());
    built
}

#[test]
fn processors_are_read_through_a_library_that_is_loaded_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let opened = nvml::open(library(directory.path()).as_os_str()).unwrap();
    let all = opened.read(&[]).unwrap();
    assert_eq!(all.iter().map(|gpu| &*gpu.id).collect::<Vec<_>>(), ["0000:01:00.0", "0000:81:00.0"]);
    let first = &all[0];
    assert_eq!((&*first.name, first.busy, first.memory), ("Double 9000", Some(0.87), Some((12 << 30, 40 << 30))));
    assert_eq!((first.temperature, first.power, first.power_limit), (Some(61.0), Some(203.5), Some(300.0)));
    assert_eq!((first.clock, first.memory_clock), (Some(1_410_000_000), Some(1_215_000_000)));
    let users = [GpuProcess { pid: 4242, memory: Some(11 << 30) }, GpuProcess { pid: 7, memory: None }];
    assert_eq!(first.processes, users, "one that computes and draws is told once");
    let second = &all[1];
    assert_eq!((second.busy, second.power, second.temperature), (None, None, Some(61.0)), "what is not supported is absent");

    let by_address = opened.read(&["0000:81:00.0".into()]).unwrap();
    assert_eq!(by_address, [all[1].clone()], "only the one that was asked for");
}
