//! [`read`] and [`told`]: the limits that there are settings for, which are listed here alone.

use super::{
    settings::Settings,
    value::{Read, Size},
};
use std::{num::NonZeroUsize, time::Duration};
use trunkline::Limits;

/// How a limit is set and told, by what it counts.
enum Kind {
    Bytes(fn(Limits, usize) -> Limits, fn(&Limits) -> usize),
    /// One at least.
    Some(fn(Limits, usize) -> Limits, fn(&Limits) -> usize),
    Any(fn(Limits, usize) -> Limits, fn(&Limits) -> usize),
    Time(fn(Limits, Duration) -> Limits, fn(&Limits) -> Duration),
}

const LIMITS: [(&str, Kind); 15] = [
    ("limits.max_message", Kind::Bytes(Limits::max_message, |limits| limits.max_message)),
    ("limits.max_reply", Kind::Bytes(Limits::max_reply, |limits| limits.max_reply)),
    ("limits.max_unsent", Kind::Bytes(Limits::max_unsent, |limits| limits.max_unsent)),
    ("limits.max_head", Kind::Bytes(Limits::max_head, |limits| limits.max_head)),
    ("limits.max_depth", Kind::Some(Limits::max_depth, |limits| limits.max_depth)),
    ("limits.max_in_flight", Kind::Some(Limits::max_in_flight, |limits| limits.max_in_flight)),
    ("limits.max_connections", Kind::Some(Limits::max_connections, |limits| limits.max_connections)),
    ("limits.max_batch", Kind::Any(Limits::max_batch, |limits| limits.max_batch)),
    ("limits.max_streams", Kind::Any(Limits::max_streams, |limits| limits.max_streams)),
    ("limits.handshake_timeout", Kind::Time(Limits::handshake_timeout, |limits| limits.handshake_timeout)),
    ("limits.message_timeout", Kind::Time(Limits::message_timeout, |limits| limits.message_timeout)),
    ("limits.stall_timeout", Kind::Time(Limits::stall_timeout, |limits| limits.stall_timeout)),
    ("limits.idle_timeout", Kind::Time(Limits::idle_timeout, |limits| limits.idle_timeout)),
    ("limits.call_timeout", Kind::Time(Limits::call_timeout, |limits| limits.call_timeout)),
    ("limits.drain_timeout", Kind::Time(Limits::drain_timeout, |limits| limits.drain_timeout)),
];

/// The limits that have been set, and of the others their defaults.
pub(super) fn read(settings: &mut Settings) -> Limits {
    fn with<T: Read>(
        limits: Limits,
        settings: &mut Settings,
        key: &'static str,
        set: impl FnOnce(Limits, T) -> Limits,
    ) -> Limits {
        match settings.get(key) {
            Some(value) => set(limits, value),
            None => limits,
        }
    }
    LIMITS.into_iter().fold(Limits::default(), |limits, (key, kind)| match kind {
        Kind::Bytes(set, _) => with(limits, settings, key, |limits, Size(bytes)| set(limits, bytes)),
        Kind::Some(set, _) => {
            with(limits, settings, key, |limits, some: NonZeroUsize| set(limits, some.get()))
        }
        Kind::Any(set, _) => with(limits, settings, key, set),
        Kind::Time(set, _) => with(limits, settings, key, set),
    })
}

/// Each with its own name, for people.
pub(super) fn told(limits: &Limits) -> impl Iterator<Item = (&'static str, String)> {
    LIMITS.into_iter().map(|(key, kind)| {
        let value = match kind {
            Kind::Bytes(_, get) => Size(get(limits)).to_string(),
            Kind::Some(_, get) | Kind::Any(_, get) => get(limits).to_string(),
            Kind::Time(_, get) => humantime::format_duration(get(limits)).to_string(),
        };
        (key.trim_start_matches("limits."), value)
    })
}
