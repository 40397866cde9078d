//! Counters of control groups and of measured services.

use crate::{
    app::metrics::{
        cgroups::Chosen,
        counters::counter,
        page::{Family, Kind, Page, Row},
    },
    model::sample::{CgroupSample, Counters, ServiceSample},
};

/// A number of a control group.
type OfGroup = fn(&CgroupSample) -> Option<f64>;

/// Writes them.
pub fn write(counters: &Counters, chosen: &Chosen, page: &mut Page) {
    let fields: [(&str, &'static str, &str, OfGroup); 5] = [
        ("cgroup_cpu_seconds", "seconds", "Cpu time by cgroup: those that use most", |row| Some(row.cpu? as f64 / 1e9)),
        ("cgroup_periods", "", "Enforcement periods of a cpu quota", |row| throttling(row, 0)),
        ("cgroup_throttled_periods", "", "Enforcement periods in which a cgroup was throttled", |row| throttling(row, 1)),
        ("cgroup_throttled_seconds", "seconds", "Time for which a cgroup was throttled", |row| Some(throttling(row, 2)? / 1e9)),
        ("cgroup_oom_kills", "", "Kills for want of memory in a cgroup", |row| Some(row.oom_kills? as f64)),
    ];
    for (name, unit, help, field) in fields {
        let rows = counters.cgroups.iter().filter(|row| chosen.has(&row.path));
        let rows = rows.filter_map(|row| Some(Row::of([("cgroup", (&*row.path).into())], field(row)?)));
        page.family(&counter(name, unit, help), rows);
    }
    latency(&counters.services, page);
}

fn throttling(row: &CgroupSample, which: usize) -> Option<f64> {
    // A group without a quota has no periods: three zeros that say nothing.
    let all = row.throttling.filter(|[periods, ..]| *periods > 0)?;
    all.get(which).map(|value| *value as f64)
}

/// The histograms of services as their owners count them.
fn latency(services: &[ServiceSample], page: &mut Page) {
    let help = "Latency of a measured service, as the service itself counts it";
    let family = Family { name: "service_latency_seconds", kind: Kind::Histogram, unit: "seconds", help };
    let rows = services.iter().filter(|row| !row.buckets.is_empty()).flat_map(|row| {
        let service = || ("service", (&*row.name).into());
        let buckets = row.buckets.iter().map(move |(bound, count)| {
            let bound = if bound.is_infinite() { "+Inf".into() } else { float(*bound) };
            Row { ending: "_bucket", labels: vec![service(), ("le", bound.into())], value: *count as f64 }
        });
        let all = row.buckets.last().map(|(_, count)| *count as f64);
        buckets.chain(all.map(|value| Row { ending: "_count", labels: vec![service()], value }))
    });
    page.family(&family, rows);
}

/// OpenMetrics wants bounds as floats: `1.0`, not `1`.
fn float(bound: f64) -> String {
    format!("{bound:?}")
}
