//! Erlang's queue with `c` servers (M/M/c): arrivals and service times without memory. `load` is in erlangs: servers kept busy.

/// The chance that a new arrival must wait (Erlang C, by the stable recursion of Erlang B); 1 where the load is more than the servers.
pub fn waits(servers: u32, load: f64) -> f64 {
    let c = f64::from(servers);
    if load.is_nan() || load < 0.0 || load >= c || servers == 0 {
        return if load <= 0.0 { 0.0 } else { 1.0 };
    }
    let blocked = (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked));
    let used = load / c;
    blocked / (1.0 - used + used * blocked)
}

/// Share of time in which somebody waits: more are there than servers. It is what pressure stall information calls `some`.
pub fn pressed(servers: u32, load: f64) -> f64 {
    let used = load / f64::from(servers.max(1));
    if used >= 1.0 { 1.0 } else { waits(servers, load) * used }
}

/// Mean number that wait; infinite where the load is more than the servers.
pub fn waiting(servers: u32, load: f64) -> f64 {
    let used = load / f64::from(servers.max(1));
    if used >= 1.0 { f64::INFINITY } else { waits(servers, load) * used / (1.0 - used) }
}

/// By what factor waiting makes each stay longer than its service alone.
pub fn stretch(servers: u32, load: f64) -> f64 {
    if load <= 0.0 { 1.0 } else { 1.0 + waiting(servers, load) / load }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_forms_hold() {
        // M/M/1: the chance to wait is the load, rho / (1 - rho) are there, rho^2 / (1 - rho) wait.
        for rho in [0.1, 0.5, 0.9, 0.99] {
            assert!((waits(1, rho) - rho).abs() < 1e-12);
            assert!((waiting(1, rho) - rho * rho / (1.0 - rho)).abs() < 1e-9);
            assert!((stretch(1, rho) - 1.0 / (1.0 - rho)).abs() < 1e-9);
        }
        // M/M/2: C = 2 rho^2 / (1 + rho); 2 rho / (1 - rho^2) are there in all.
        for rho in [0.2, 0.7, 0.95] {
            let load = 2.0 * rho;
            assert!((waits(2, load) - 2.0 * rho * rho / (1.0 + rho)).abs() < 1e-12);
            assert!((load + waiting(2, load) - 2.0 * rho / (1.0 - rho * rho)).abs() < 1e-9);
        }
        // The tables of Erlang C: 10 erlangs on 12 servers.
        assert!((waits(12, 10.0) - 0.4494).abs() < 1e-3, "{}", waits(12, 10.0));
    }

    #[test]
    fn edges_are_finite_or_said() {
        assert_eq!((waits(4, 0.0), waits(4, 4.0), waits(0, 1.0), waits(4, -1.0)), (0.0, 1.0, 1.0, 0.0));
        assert_eq!((waiting(4, 5.0), pressed(4, 5.0), stretch(4, 0.0)), (f64::INFINITY, 1.0, 1.0));
        assert!((0.0..=1.0).contains(&waits(10_000, 9_990.0)));
    }
}
