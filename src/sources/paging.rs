//! How memory is handed out: `/proc/buddyinfo` (Documentation/filesystems/proc.rst, 1.4) and the settings of reclaim below
//! `/proc/sys/vm` (Documentation/admin-guide/sysctl/vm.rst). Read seldom: counting free blocks takes the lock of each zone.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        paging::{Paging as Sampled, PagingSettings, Zone},
        sample::{Sample, SourceName},
        text::clean,
    },
    sources::{
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::time::Duration;

/// The source.
#[derive(Default)]
pub struct Paging {
    buffer: Vec<u8>,
}

impl Source for Paging {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Paging,
            lane: Lane::Seldom(10),
            deadline: Duration::from_millis(1500),
            reads: "/proc/buddyinfo, /proc/sys/vm/*, /proc/sys/kernel/numa_balancing",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        let place = Place::proc("buddyinfo");
        host.read(&place, &mut self.buffer)?;
        let zones = parse_buddyinfo(&parse::text(&self.buffer));
        let mut of = |file: &str| {
            host.read(&Place::proc(format!("sys/{file}")), &mut self.buffer).ok()?;
            parse::whole(&parse::text(&self.buffer))
        };
        let settings = PagingSettings {
            watermark_scale_factor: of("vm/watermark_scale_factor"),
            min_free_kbytes: of("vm/min_free_kbytes"),
            vfs_cache_pressure: of("vm/vfs_cache_pressure"),
            compaction_proactiveness: of("vm/compaction_proactiveness"),
            zone_reclaim_mode: of("vm/zone_reclaim_mode"),
            numa_balancing: of("kernel/numa_balancing"),
        };
        Ok(Sample::Paging(Sampled { zones, settings }))
    }
}

/// `Node 0, zone   Normal  36374  23056 ...`: free blocks of each order. A line in another form is left out.
pub fn parse_buddyinfo(text: &str) -> Vec<Zone> {
    let zone = |line: &str| {
        let (node, rest) = line.strip_prefix("Node ")?.split_once(", zone")?;
        let mut fields = rest.split_ascii_whitespace();
        let name = clean(fields.next()?, 32);
        let free: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
        (!free.is_empty()).then_some(Zone { node: node.trim().parse().ok()?, name, free })
    };
    text.lines().filter_map(zone).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;
    use proptest::prelude::*;

    const BUDDY: &str = "Node 0, zone      DMA      0      0      1 \nNode 1, zone   Normal  36374  23056  63350 \n";

    #[test]
    fn zones_are_read_with_their_blocks_by_order() {
        let zones = parse_buddyinfo(BUDDY);
        assert_eq!((zones[1].node, &*zones[1].name, zones[1].free.as_slice()), (1, "Normal", &[36374, 23056, 63350][..]));
        assert!(parse_buddyinfo("Node 0, zone Normal\nNode x, zone A 1\nnothing\n").is_empty());
    }

    #[test]
    fn a_setting_that_this_kernel_lacks_is_absent_and_no_gap() {
        let host = RecordedHost::default();
        host.put("/proc/buddyinfo", BUDDY);
        host.put("/proc/sys/vm/watermark_scale_factor", "10\n");
        let Sample::Paging(found) = Paging::default().read(&host).unwrap() else { panic!() };
        assert_eq!((found.settings.watermark_scale_factor, found.settings.numa_balancing), (Some(10), None));
        assert_eq!(found.zones.len(), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(Node |[0-9]|, zone| |\\PC|\n){0,40}") {
            let _any = parse_buddyinfo(&text);
        }
    }
}
