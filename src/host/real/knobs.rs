//! Knobs of the real machine.

use super::RealHost;
use crate::{
    host::{
        error::{HostError, Kind},
        host::Touch,
    },
    model::knob::Knob,
};

pub(super) fn get(_host: &RealHost, knob: &Knob) -> Touch<String> {
    Err(HostError::plain("read", knob, Kind::Absent, "not built yet"))
}

pub(super) fn set(_host: &RealHost, knob: &Knob, _value: &str) -> Touch<()> {
    Err(HostError::plain("write", knob, Kind::Absent, "not built yet"))
}

pub(super) fn may_set(_host: &RealHost, knob: &Knob) -> Touch<()> {
    Err(HostError::plain("write", knob, Kind::Absent, "not built yet"))
}
