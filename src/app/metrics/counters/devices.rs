//! Counters of disks and interfaces.

use crate::{
    app::metrics::{
        counters::counter,
        page::{Page, Row},
    },
    model::sample::{Counters, DiskSample, InterfaceSample},
};

/// `/proc/diskstats` counts in sectors of 512 bytes, whatever the device has.
const SECTOR: f64 = 512.0;

/// Writes them.
pub fn write(counters: &Counters, page: &mut Page) {
    disks(&counters.disks, page);
    interfaces(&counters.network.interfaces, page);
}

/// A number of a disk.
type OfDisk = fn(&DiskSample) -> f64;

fn disks(all: &[DiskSample], page: &mut Page) {
    let single: [(&str, &'static str, &str, OfDisk); 5] = [
        ("disk_written_bytes", "bytes", "Bytes written to a disk", |row| sectors(row, 1)),
        ("disk_read_bytes", "bytes", "Bytes read from a disk", |row| sectors(row, 0)),
        ("disk_discarded_bytes", "bytes", "Bytes discarded", |row| sectors(row, 2)),
        ("disk_busy_seconds", "seconds", "Time with a request in flight; not saturation on parallel devices", |row| {
            row.busy_millis as f64 / 1e3
        }),
        ("disk_waited_seconds", "seconds", "Time weighted by requests in flight", |row| row.queue_millis as f64 / 1e3),
    ];
    for (name, unit, help, field) in single {
        let rows = all.iter().map(|row| Row::of([("disk", (&*row.name).into())], field(row)));
        page.family(&counter(name, unit, help), rows);
    }
    let operations = ["read", "write", "discard", "flush"];
    let each = |of: fn(&DiskSample) -> [u64; 4], scale: f64| {
        all.iter().flat_map(move |row| {
            operations.into_iter().zip(of(row)).map(move |(operation, value)| {
                Row::of([("disk", (&*row.name).into()), ("operation", operation.into())], value as f64 * scale)
            })
        })
    };
    page.family(&counter("disk_requests", "", "Requests completed"), each(|row| row.completed, 1.0));
    page.family(
        &counter("disk_requests_seconds", "seconds", "Time that requests took, queue included"),
        each(|row| row.millis, 1e-3),
    );
}

fn sectors(row: &DiskSample, which: usize) -> f64 {
    row.sectors.get(which).map_or(f64::NAN, |sectors| *sectors as f64 * SECTOR)
}

/// A number of an interface in both directions.
type OfInterface = fn(&InterfaceSample) -> [u64; 2];

fn interfaces(all: &[InterfaceSample], page: &mut Page) {
    let fields: [(&str, &'static str, &str, OfInterface); 4] = [
        ("interface_bytes", "bytes", "Bytes by direction", |row| row.bytes),
        ("interface_packets", "", "Packets by direction", |row| row.packets),
        ("interface_errors", "", "Packets in error by direction", |row| row.errors),
        ("interface_drops", "", "Packets dropped by direction", |row| row.drops),
    ];
    for (name, unit, help, field) in fields {
        let rows = all.iter().flat_map(|row| {
            ["received", "sent"].into_iter().zip(field(row)).map(|(direction, value)| {
                Row::of([("interface", (&*row.name).into()), ("direction", direction.into())], value as f64)
            })
        });
        page.family(&counter(name, unit, help), rows);
    }
}
