//! [`Streams`]: the streams of one connection that are open, and how they go on.

mod kept;
mod open;
mod room;
mod sending;

pub(crate) use self::open::OpenStream;

use self::open::Went;
use crate::{
    conversation::Turn,
    peer::{Occupant, Slots},
};
use std::{task::Waker, time::Instant};
use trunkline_core::{Credit, Dialect, Fault, Format, Identity, Lag, Outbox};

/// The streams of one connection that are open.
pub(crate) struct Streams {
    slots: Slots<OpenStream>,
    /// Numbers count up from 1 and are never used again.
    last: u64,
    woken: Vec<usize>,
    /// Streams that have items, for which there is no room.
    blocked: Vec<usize>,
}

/// What is known of a stream before it is open.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What its items are called.
    pub(crate) items: Box<str>,
    pub(crate) lag: Lag,
    /// The room that its caller has for items; `None` if it takes them as they come.
    pub(crate) credit: Option<Credit>,
    /// Whether the caller is told of items and of nothing else.
    pub(crate) items_only: bool,
}

/// How values are written, and how much of them.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) format: Format,
    pub(crate) max_reply: usize,
}

impl Streams {
    /// Room for `capacity` streams.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { slots: Slots::with_capacity(capacity), last: 0, woken: Vec::new(), blocked: Vec::new() }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// A number for the next one.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Goes on with a stream that has been opened, for which there is room.
    pub(crate) fn insert(&mut self, stream: OpenStream, turn: Turn<'_>) {
        let vacant = self.slots.vacant(turn.task);
        debug_assert!(vacant.is_some(), "its answer has been written");
        if let Some((place, waker)) = vacant {
            waker.wake_by_ref();
            self.slots.insert(place, stream);
        }
    }

    /// Wakes `task` when a stream may have an item.
    pub(crate) fn register(&self, task: &Waker) {
        self.slots.register(task);
    }

    /// Whether a stream wants to go on: because it was woken, or because there is
    /// room for what it waits with.
    pub(crate) fn is_woken(&self, has_room: bool) -> bool {
        self.slots.is_woken() || (has_room && !self.blocked.is_empty())
    }

    /// The caller has room for more items of the stream of this number.
    pub(crate) fn grant(&mut self, number: u64, credit: Credit) {
        let Some(place) = self.slots.position(|stream| stream.number == number) else { return };
        if let Some((stream, waker)) = self.slots.get(place) {
            if let Some(room) = &mut stream.room {
                room.grow(credit);
            }
            waker.wake_by_ref();
        }
    }

    /// Ends the stream of this number, which nobody listens to any more; whether
    /// there was one.
    pub(crate) fn end(&mut self, number: u64) -> bool {
        self.slots.remove_where(|stream| stream.number == number).map(Occupant::dismiss).is_some()
    }

    /// Breaks off the streams of those of whom `ends` says so; `told` hears of each, and
    /// says what whoever opened it is told.
    pub(crate) fn break_off(
        &mut self,
        ends: impl Fn(&Identity) -> bool,
        dialect: &mut dyn Dialect,
        out: &mut Outbox,
        mut told: impl FnMut(&OpenStream) -> Fault,
    ) {
        while let Some(stream) = self.slots.remove_where(|stream| ends(&stream.caller)) {
            stream.tell_end(Err(&told(&stream)), dialect, out);
            stream.dismiss();
        }
    }

    /// Breaks the stream of this number off, as [`break_off`](Self::break_off) does.
    pub(crate) fn break_off_one(
        &mut self,
        number: u64,
        dialect: &mut dyn Dialect,
        out: &mut Outbox,
        told: impl FnOnce(&OpenStream) -> Fault,
    ) {
        if let Some(stream) = self.slots.remove_where(|stream| stream.number == number) {
            stream.tell_end(Err(&told(&stream)), dialect, out);
            stream.dismiss();
        }
    }

    /// Somebody is known anew: for as long as that is so, the streams go on.
    pub(crate) fn renew(&mut self, caller: &Identity) {
        self.slots.change(|stream| {
            if stream.caller.is_same_as(caller) {
                stream.caller = caller.clone();
            }
        });
    }

    /// A time before which no stream ends by the clock.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.slots.earliest()
    }

    /// Breaks off the streams of callers who are no longer known, with what `told` says.
    pub(crate) fn expire(
        &mut self,
        dialect: &mut dyn Dialect,
        out: &mut Outbox,
        now: Instant,
        mut told: impl FnMut(&OpenStream) -> Fault,
    ) {
        for stream in self.slots.expire(now) {
            stream.tell_end(Err(&told(&stream)), dialect, out);
            stream.dismiss();
        }
    }

    /// Drops all streams without a word.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.slots.shrink();
    }

    /// Sends the items that are there, until `most` bytes wait in `out`. `told` hears
    /// of the streams that broke off, and says what whoever opened them is told.
    pub(crate) fn poll(
        &mut self,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: usize,
        mut told: impl FnMut(&OpenStream, &Fault) -> Fault,
    ) {
        let mut woken = std::mem::take(&mut self.woken);
        // those that have waited longest come first
        if out.len() < most {
            for place in self.blocked.drain(..) {
                if let Some((stream, _)) = self.slots.get(place) {
                    stream.blocked = false;
                }
                woken.push(place);
            }
        }
        self.slots.take_woken(&mut woken);
        let mut served = Vec::new();
        for place in woken.drain(..) {
            let Some((stream, waker)) = self.slots.get(place) else { continue };
            let had_room = out.len() < most;
            match stream.poll(waker, dialect, writing, out, most) {
                Went::Waits => {}
                Went::Blocked => {
                    if !std::mem::replace(&mut stream.blocked, true) {
                        if had_room { served.push(place) } else { self.blocked.push(place) }
                    }
                }
                Went::On => self.slots.wake(place),
                Went::Ended(outcome) => {
                    let Some(stream) = self.slots.remove(place) else { continue };
                    let outcome = outcome.map_err(|fault| told(&stream, &fault));
                    stream.tell_end(outcome.as_ref().copied(), dialect, out);
                    stream.dismiss();
                }
            }
        }
        self.blocked.append(&mut served);
        self.woken = woken;
    }
}
