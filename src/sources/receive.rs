//! The receive path of interfaces that are devices: queues and steering (`/sys/class/net/NAME/queues`, Documentation/networking/
//! scaling.rst), interrupts of the device (`msi_irqs` of its directory, or of that above it as with virtio) with the processors that serve
//! them (`/proc/irq/N`, Documentation/core-api/irq/irq-affinity.rst) and their counts (`/proc/interrupts`). Read seldom: the counts of a
//! large machine are a long text.

use crate::{
    host::{canonical::parse_cpus, error::HostError, host::Host},
    model::{
        knob::Place,
        receive::{InterruptSample, PathSample, ReceiveSample},
        sample::{Sample, SourceName},
        text::clean,
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// Interfaces looked at, and interrupts of each, at most.
const INTERFACES: usize = 16;
const INTERRUPTS: usize = 128;

/// The source.
#[derive(Default)]
pub struct Receive {
    buffer: Vec<u8>,
}

impl Source for Receive {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Receive,
            lane: Lane::Seldom(10),
            deadline: Duration::from_millis(1500),
            reads: "/sys/class/net/*/queues, /proc/irq/N, /proc/interrupts",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let place = Place::proc("interrupts");
        host.read(&place, &mut self.buffer)?;
        let counts = parse_interrupts(&parse::text(&self.buffer));
        let root = Place::sys("class/net");
        let mut names = names(host, &root);
        // What has a device of its own; all else is made in software and has no interrupt.
        names.retain(|name| host.inode(&root.join(name).join("device")).is_ok());
        names.truncate(INTERFACES);
        let paths = names.iter().map(|name| path(host, &root.join(name), name, &counts)).collect();
        Ok(Sample::Receive(ReceiveSample { paths, isolated: isolated(host).into() }))
    }
}

/// Names in a directory, sorted; none where there is no such directory.
fn names(host: &dyn Host, directory: &Place) -> Vec<String> {
    let mut names = Vec::new();
    let _absent_is_none = host.list(directory, &mut names);
    names.sort_unstable();
    names
}

fn path(host: &dyn Host, directory: &Place, name: &str, counts: &BTreeMap<u32, u64>) -> PathSample {
    let queues: Vec<String> = names(host, &directory.join("queues")).into_iter().filter(|name| name.starts_with("rx-")).collect();
    let mask = |queue: &String| host.text(&directory.join("queues").join(queue).join("rps_cpus")).unwrap_or_default();
    let steered = queues.iter().any(|queue| mask(queue).bytes().any(|byte| byte.is_ascii_hexdigit() && byte != b'0'));
    let at = [directory.join("device/msi_irqs"), directory.join("device/../msi_irqs")];
    let mut numbers: Vec<u32> = at
        .iter()
        .map(|at| names(host, at))
        .find(|names| !names.is_empty())
        .unwrap_or_default()
        .iter()
        .filter_map(|n| n.parse().ok())
        .collect();
    numbers.sort_unstable();
    // Those that were never served have no processor to speak of.
    let served = numbers.iter().filter_map(|number| counts.get(number).filter(|count| **count > 0).map(|count| (*number, *count)));
    let interrupt = |(number, count): (u32, u64)| {
        let of = |file: &str| host.text(&Place::proc(format!("irq/{number}/{file}"))).ok().filter(|text| !text.trim().is_empty());
        let cpus = of("effective_affinity_list").or_else(|| of("smp_affinity_list"))?;
        Some(InterruptSample { number, cpus: clean(cpus.trim(), 128), count })
    };
    let interrupts = served.filter_map(interrupt).take(INTERRUPTS).collect();
    PathSample { name: clean(name, 32), queues: u32::try_from(queues.len()).unwrap_or(u32::MAX), steered, interrupts }
}

/// Processors that the kernel keeps free (`isolcpus=`, `nohz_full=`), ascending.
fn isolated(host: &dyn Host) -> Vec<u32> {
    let of = |file: &str| host.text(&Place::sys(format!("devices/system/cpu/{file}"))).unwrap_or_default();
    let mut all: Vec<u32> = ["isolated", "nohz_full"].iter().filter_map(|file| parse_cpus(&of(file), 65_535)).flatten().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// `/proc/interrupts`: times that each numbered one was served, on all processors together.
pub fn parse_interrupts(text: &str) -> BTreeMap<u32, u64> {
    let line = |line: &str| {
        let (number, rest) = line.split_once(':')?;
        let counts = rest.split_ascii_whitespace().map_while(|field| field.parse::<u64>().ok());
        Some((number.trim().parse().ok()?, counts.fold(0, u64::saturating_add)))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;
    use proptest::prelude::*;

    const INTERRUPTS: &str = "           CPU0       CPU1       \n 41:      16512          8 PCI-MSIX-0000:00:04.0   1-edge      virtio3-rx\n \
                              42:          0     0 PCI-MSIX-0000:00:04.0   2-edge      virtio3-tx\nNMI:          7          0   Non-maskable\n";

    #[test]
    fn counts_are_summed_over_processors_and_names_are_no_numbers() {
        assert_eq!(parse_interrupts(INTERRUPTS), BTreeMap::from([(41, 16_520), (42, 0)]));
    }

    #[test]
    fn an_interface_has_the_interrupts_of_the_device_above_it() {
        let host = RecordedHost::default();
        host.put("/proc/interrupts", INTERRUPTS);
        host.put("/proc/irq/41/smp_affinity_list", "0-1\n");
        host.put("/proc/irq/41/effective_affinity_list", "0\n");
        host.put("/sys/class/net/eth0/device/vendor", "0x1af4\n");
        host.put("/sys/class/net/eth0/device/../msi_irqs/41", "");
        host.put("/sys/class/net/eth0/device/../msi_irqs/42", "");
        host.put("/sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n");
        host.put("/sys/class/net/lo/queues/rx-0/rps_cpus", "3\n");
        host.put("/sys/devices/system/cpu/isolated", "2-3\n");
        let read = || match Receive::default().read(&host).unwrap() {
            Sample::Receive(found) => found,
            _ => panic!(),
        };
        let found = read();
        assert_eq!(found.paths.len(), 1, "the loopback is no device: {found:?}");
        assert_eq!((&*found.paths[0].name, found.paths[0].queues, found.paths[0].steered), ("eth0", 1, false));
        let irq = InterruptSample { number: 41, cpus: "0".into(), count: 16_520 };
        assert_eq!((found.paths[0].interrupts.as_slice(), &*found.isolated), (&[irq][..], &[2, 3][..]));
        host.put("/sys/class/net/eth0/queues/rx-0/rps_cpus", "00000000,00000002\n");
        assert!(read().paths[0].steered);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "([0-9]|:| |\\PC|\n){0,60}") {
            let _any = parse_interrupts(&text);
        }
    }
}
