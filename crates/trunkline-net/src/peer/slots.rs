//! [`Slots`]: what runs on one connection: calls under way, or streams that are open.
//!
//! A table with a bit for each place that wants to be polled, and one waker a
//! place that is made once and used for all that ever stands there. Waking
//! sets the bit, and wakes the connection's task if it was not awake already.

use crate::{clock::earliest, streams::Plan, telling::Shown};
use futures_util::task::AtomicWaker;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Wake, Waker},
    time::Instant,
};
use tracing::field;
use trunkline_core::{BoxRunning, Identity, OwnedCallId, Trace};

/// What can stand in a place.
pub(crate) trait Occupant {
    /// When it has run for long enough, if that is ever so.
    fn deadline(&self) -> Option<Instant>;

    /// Drops what runs.
    fn dismiss(self);
}

/// A call under way.
pub(crate) struct Slot {
    pub(crate) running: BoxRunning,
    /// What the caller named it; a notification has no name.
    pub(crate) id: Option<OwnedCallId>,
    pub(crate) procedure: Box<str>,
    /// Who made it.
    pub(crate) caller: Identity,
    /// Where its message says that it stands in a trace.
    pub(crate) trace: Option<Trace>,
    /// `None`: it may run for ever.
    pub(crate) deadline: Option<Instant>,
    pub(crate) span: Option<tracing::Span>,
    /// What is known of the stream that it comes to, if it does.
    pub(crate) opens: Option<Box<Plan>>,
    /// Whether its caller sends a stream with it.
    pub(crate) fed: bool,
}

impl Occupant for Slot {
    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn dismiss(self) {
        drop_caught(self.running, Some(&self.procedure));
    }
}

/// Drops what is user code, and may panic in that: what answers calls of `procedure`, if
/// it does.
pub(crate) fn drop_caught<T>(what: T, procedure: Option<&str>) {
    if catch_unwind(AssertUnwindSafe(|| drop(what))).is_err() {
        let procedure = procedure.map(|name| field::display(Shown(name)));
        tracing::error!(
            rpc.method = procedure,
            "a handler, a stream or a value panicked when it was dropped"
        );
    }
}

/// What runs on one connection.
pub(crate) struct Slots<T: Occupant> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
    wakers: Vec<Waker>,
    bits: Option<Arc<Bits>>,
    count: usize,
    earliest: Option<Instant>,
    capacity: usize,
}

/// The two levels of bits: one for each place, and one for each 64 places.
struct Bits {
    words: Box<[AtomicU64]>,
    summary: Box<[AtomicU64]>,
    task: AtomicWaker,
}

struct PlaceWaker {
    place: usize,
    bits: Arc<Bits>,
}

impl Wake for PlaceWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let (word, bit) = (self.place / 64, self.place % 64);
        if self.bits.words[word].fetch_or(1 << bit, Ordering::AcqRel) == 0 {
            self.bits.summary[word / 64].fetch_or(1 << (word % 64), Ordering::AcqRel);
            self.bits.task.wake();
        }
    }
}

impl<T: Occupant> Slots<T> {
    /// Room for `capacity` of them; nothing is allocated before the first.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let (places, free, wakers) = (Vec::new(), Vec::new(), Vec::new());
        Self { places, free, wakers, bits: None, count: 0, earliest: None, capacity }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A time before which no deadline passes.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    /// Wakes `task` when a call wants to be polled.
    pub(crate) fn register(&self, task: &Waker) {
        if let Some(bits) = &self.bits {
            bits.task.register(task);
        }
    }

    /// A free place, and the waker of whatever will stand there; `None` if all
    /// are taken.
    pub(crate) fn vacant(&mut self, task: &Waker) -> Option<(usize, &Waker)> {
        let place = match self.free.last() {
            Some(place) => *place,
            None if self.places.len() < self.capacity => {
                if self.places.is_empty() {
                    // most connections have one call at a time, and a vector would begin with four
                    self.places.reserve_exact(1);
                    self.free.reserve_exact(1);
                    self.wakers.reserve_exact(1);
                }
                self.places.push(None);
                self.free.push(self.places.len() - 1);
                self.places.len() - 1
            }
            None => return None,
        };
        if place >= self.wakers.len() {
            let bits = self.bits.get_or_insert_with(|| {
                let words = self.capacity.div_ceil(64);
                let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
                let bits = Bits {
                    words: zeros(words),
                    summary: zeros(words.div_ceil(64)),
                    task: AtomicWaker::new(),
                };
                bits.task.register(task);
                Arc::new(bits)
            });
            self.wakers.push(Arc::new(PlaceWaker { place, bits: bits.clone() }).into());
        }
        Some((place, &self.wakers[place]))
    }

    /// Puts a call where [`vacant`](Self::vacant) said.
    pub(crate) fn insert(&mut self, place: usize, slot: T) {
        self.earliest = earliest([self.earliest, slot.deadline()]);
        let free = self.free.pop();
        debug_assert_eq!(free, Some(place), "a place is filled before the next is asked for");
        self.places[place] = Some(slot);
        self.count += 1;
    }

    /// Whether a call wants to be polled.
    pub(crate) fn is_woken(&self) -> bool {
        let woken = |bits: &Arc<Bits>| bits.summary.iter().any(|word| word.load(Ordering::Acquire) != 0);
        self.bits.as_ref().is_some_and(woken)
    }

    /// The places that want to be polled, from now on counted as polled.
    pub(crate) fn take_woken(&self, woken: &mut Vec<usize>) {
        let Some(bits) = &self.bits else { return };
        for (block, summary) in bits.summary.iter().enumerate() {
            for word in ones(summary.swap(0, Ordering::AcqRel)).map(|bit| block * 64 + bit) {
                woken.extend(ones(bits.words[word].swap(0, Ordering::AcqRel)).map(|bit| word * 64 + bit));
            }
        }
    }

    /// Says that a place still wants to be polled.
    pub(crate) fn wake(&self, place: usize) {
        self.wakers[place].wake_by_ref();
    }

    /// The call at a place, and its waker.
    pub(crate) fn get(&mut self, place: usize) -> Option<(&mut T, &Waker)> {
        Some((self.places.get_mut(place)?.as_mut()?, &self.wakers[place]))
    }

    /// Takes the call at a place.
    pub(crate) fn remove(&mut self, place: usize) -> Option<T> {
        let slot = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        self.count -= 1;
        if self.count == 0 {
            self.earliest = None;
        }
        Some(slot)
    }

    /// The place of the first that fits.
    pub(crate) fn position(&self, fits: impl Fn(&T) -> bool) -> Option<usize> {
        self.places.iter().position(|slot| slot.as_ref().is_some_and(&fits))
    }

    /// Takes the first that fits.
    pub(crate) fn remove_where(&mut self, fits: impl Fn(&T) -> bool) -> Option<T> {
        self.remove(self.position(fits)?)
    }

    /// Changes those that there are.
    pub(crate) fn change(&mut self, change: impl FnMut(&mut T)) {
        self.places.iter_mut().flatten().for_each(change);
        self.earliest = earliest(self.places.iter().flatten().map(T::deadline));
    }

    /// Takes the calls whose deadline has passed.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<T> {
        let is_due = |slot: &Option<T>| slot.as_ref()?.deadline().filter(|deadline| *deadline <= now);
        let due: Vec<usize> =
            (0..self.places.len()).filter(|place| is_due(&self.places[*place]).is_some()).collect();
        let expired = due.into_iter().filter_map(|place| self.remove(place)).collect();
        self.earliest = earliest(self.places.iter().flatten().map(T::deadline));
        expired
    }

    /// Drops all calls, which cancels them.
    pub(crate) fn clear(&mut self) {
        for slot in self.places.drain(..).flatten() {
            slot.dismiss();
        }
        self.free.clear();
        (self.count, self.earliest) = (0, None);
    }

    /// Whether the table has never held a call or holds none, and may be given back.
    pub(crate) fn shrink(&mut self) {
        if self.count == 0 && self.places.len() > 64 {
            *self = Self::with_capacity(self.capacity);
        }
    }
}

/// A connection may be dropped at any moment, with all that runs on it. If more than
/// one of those panicked in that, the program would end.
impl<T: Occupant> Drop for Slots<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The places of the ones in a word.
fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Mutex,
    };

    #[test]
    fn ones_are_listed_from_the_lowest() {
        assert_eq!(ones(0b1000_0101).collect::<Vec<_>>(), [0, 2, 7]);
        assert_eq!(ones(0).count(), 0);
        assert_eq!(ones(u64::MAX).count(), 64);
    }

    struct Never;

    impl trunkline_core::Running for Never {
        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut trunkline_core::Reply<'_>,
        ) -> std::task::Poll<Result<(), trunkline_core::Fault>> {
            std::task::Poll::Pending
        }
    }

    #[test]
    fn calls_expire_at_their_deadline_if_they_have_one() {
        let now = Instant::now();
        let at = |seconds| Some(now + std::time::Duration::from_secs(seconds));
        let mut slots = Slots::with_capacity(8);
        for deadline in [at(3), None, at(1), at(2)] {
            let (place, _) = slots.vacant(Waker::noop()).unwrap();
            let slot = Slot {
                running: Box::pin(Never),
                id: None,
                caller: Identity::anonymous(),
                procedure: "p".into(),
                trace: None,
                deadline,
                span: None,
                opens: None,
                fed: false,
            };
            slots.insert(place, slot);
        }
        assert_eq!(slots.earliest(), at(1));
        assert_eq!(slots.expire(at(2).unwrap()).len(), 2);
        assert_eq!((slots.len(), slots.earliest()), (2, at(3)));
        assert_eq!(slots.expire(at(9).unwrap()).len(), 1);
        assert_eq!((slots.len(), slots.earliest()), (1, None));
    }

    #[test]
    fn a_wake_is_seen_once_and_for_its_place() {
        let mut slots = Slots::<Slot>::with_capacity(5000);
        for _ in 0..4200 {
            let (place, _) = slots.vacant(Waker::noop()).unwrap();
            assert_eq!(slots.free.pop(), Some(place));
            slots.places[place] = None;
        }
        for place in [0, 63, 64, 4095, 4096, 4199] {
            slots.wake(place);
            slots.wake(place);
        }
        let mut woken = vec![];
        assert!(slots.is_woken());
        slots.take_woken(&mut woken);
        assert_eq!(woken, [0, 63, 64, 4095, 4096, 4199]);
        assert!(!slots.is_woken());
    }

    /// Tells by its number how it went.
    struct Numbered(u32, Option<Instant>, Arc<Mutex<Vec<u32>>>);

    impl Occupant for Numbered {
        fn deadline(&self) -> Option<Instant> {
            self.1
        }

        fn dismiss(self) {
            self.2.lock().unwrap().push(self.0);
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(Option<u8>),
        End(u8),
        Wake(u8),
        Poll,
        Pass(u8),
        Shrink,
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => any::<Option<u8>>().prop_map(Step::Add),
            4 => any::<u8>().prop_map(Step::End),
            4 => any::<u8>().prop_map(Step::Wake),
            2 => Just(Step::Poll),
            1 => (0..32_u8).prop_map(Step::Pass),
            1 => Just(Step::Shrink),
            1 => Just(Step::Clear),
        ]
    }

    proptest! {
        /// T29: whatever comes and goes in whatever order, each place is of one at a time,
        /// each ends once, and those are polled that were woken.
        #[test]
        fn the_table_is_as_a_simple_one(steps in proptest::collection::vec(step(), 0..300)) {
            const CAPACITY: usize = 70;
            let (start, dismissed) = (Instant::now(), Arc::default());
            let at = |seconds: u64| start + std::time::Duration::from_secs(seconds);
            let mut slots = Slots::with_capacity(CAPACITY);
            // by place: the number, and when it ends
            let mut model: BTreeMap<usize, (u32, Option<u64>)> = BTreeMap::new();
            let (mut woken, mut gone) = (BTreeSet::new(), Vec::new());
            let (mut last, mut now) = (0, 0);
            for step in steps {
                let pick = |pick: u8| model.iter().nth(usize::from(pick) % model.len().max(1));
                match step {
                    Step::Add(seconds) => {
                        let place = slots.vacant(Waker::noop()).map(|(place, _)| place);
                        prop_assert_eq!(place.is_none(), model.len() == CAPACITY);
                        let Some(place) = place else { continue };
                        let until = seconds.map(|seconds| now + u64::from(seconds));
                        last += 1;
                        slots.insert(place, Numbered(last, until.map(at), Arc::clone(&dismissed)));
                        prop_assert_eq!(model.insert(place, (last, until)), None, "the place was free");
                    }
                    Step::End(which) => {
                        let Some((&place, &(number, _))) = pick(which) else { continue };
                        model.remove(&place);
                        let found = slots.remove_where(|slot| slot.0 == number).map(|slot| slot.0);
                        prop_assert_eq!(found, Some(number));
                        prop_assert!(slots.get(place).is_none() && slots.remove(place).is_none());
                    }
                    Step::Wake(which) => {
                        let Some((&place, _)) = pick(which) else { continue };
                        slots.get(place).unwrap().1.wake_by_ref();
                        woken.insert(place);
                    }
                    Step::Poll => {
                        prop_assert_eq!(slots.is_woken(), !woken.is_empty());
                        let mut places = Vec::new();
                        slots.take_woken(&mut places);
                        prop_assert_eq!(places, std::mem::take(&mut woken).into_iter().collect::<Vec<_>>());
                    }
                    Step::Pass(seconds) => {
                        now += u64::from(seconds);
                        let mut expired: Vec<u32> = slots.expire(at(now)).iter().map(|slot| slot.0).collect();
                        let due = model.extract_if(.., |_, (_, until)| until.is_some_and(|until| until <= now));
                        let mut due: Vec<u32> = due.map(|(_, (number, _))| number).collect();
                        expired.sort_unstable();
                        due.sort_unstable();
                        prop_assert_eq!(expired, due);
                    }
                    Step::Shrink => {
                        let shrinks = model.is_empty() && slots.places.len() > 64;
                        slots.shrink();
                        if shrinks {
                            woken.clear();
                        }
                    }
                    Step::Clear => {
                        slots.clear();
                        gone.extend(std::mem::take(&mut model).into_values().map(|(number, _)| number));
                    }
                }
                prop_assert_eq!((slots.len(), slots.is_empty()), (model.len(), model.is_empty()));
                for (&place, (number, _)) in &model {
                    prop_assert_eq!(slots.get(place).map(|(slot, _)| slot.0), Some(*number));
                }
                let first = model.values().filter_map(|(_, until)| *until).min();
                prop_assert!(first.is_none_or(|first| slots.earliest().is_some_and(|it| it <= at(first))));
            }
            gone.extend(model.into_values().map(|(number, _)| number));
            drop(slots);
            prop_assert_eq!(&*dismissed.lock().unwrap(), &gone);
        }
    }
}
