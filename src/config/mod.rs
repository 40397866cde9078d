//! Configuration: RON files in layers. Built-in values, then the system's file, the user's file, a file of the command line; each
//! layer names only what it changes, and a later one wins field by field. Nothing here ever writes a file.
//!
//! ```ron
//! (
//!     thresholds: (cpu_pressure: 0.3),
//!     policy: (mode: Observe, windows: (before: 60, settle: 3, after: 60)),
//!     services: [(name: "shop", file: "/run/shop/metrics.prom", histogram: "http_request_seconds", process: "shopd")],
//!     console: (theme: "dark"),
//!     keys: {"freeze": ["f", "F12"]},
//! )
//! ```

pub mod address;
pub mod alerts;
pub mod check;
pub mod complaint;
pub mod custom;
pub mod layer;
pub mod outline;
pub mod policy;
pub mod rules;
pub mod sections;
