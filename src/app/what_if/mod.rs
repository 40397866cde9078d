//! `trimtab what-if`: what more load, other cores or more workers would do. Of this host, from its engine's history ([`ask`]); of anything, from
//! a load test on standard input ([`stdin`]).

pub mod ask;
pub mod stdin;
