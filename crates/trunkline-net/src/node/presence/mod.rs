//! [`Presence`]: nodes tell each other that they are there, and what they serve.
//!
//! Each says so every [few seconds](EVERY), and is forgotten when it has been silent for
//! three times as long; who leaves in good order says that, too. What it serves it tells
//! those only who ask, by a digest that is the same for all nodes of a kind; so what goes
//! about all the time is small, however much there is to tell. All of it are events, which
//! every broker carries. See decision 0006.

mod agreed;
mod node_info;
mod own;
mod roster;
mod said;

pub use self::node_info::{Load, NodeInfo};
pub(super) use self::{
    own::Own,
    roster::{Roster, catalog_of},
    said::TOPIC,
};

use self::{
    agreed::Learned,
    said::{Said, topic_of},
};
use super::desk::Desk;
use crate::{
    broker::{Line, Unsent},
    clock::{after, earliest, now},
};
use bytes::Bytes;
use rand::random;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    select,
    sync::{Notify, watch},
    time::sleep_until,
};

/// How often a node says that it is there, where the program does not say otherwise.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// For each node that is known, nodes leave so much more time: none has to hear more than
/// 50 in a second.
const PER_NODE: Duration = Duration::from_millis(20);

/// Within which time those speak who have got the broker back at the same moment.
const COMING_BACK: Duration = Duration::from_secs(1);

/// How many who ask are told at most between one time of speaking and the next.
const ANSWERS: u32 = 256;

/// A roster that can be waited for.
pub(super) type Watched = Arc<watch::Sender<Roster>>;

/// Tells other nodes that this one is there, and hears who else is.
pub(super) struct Presence {
    roster: Watched,
    desk: Arc<Desk>,
    id: Box<str>,
    /// Unless it only listens.
    own: Option<Own>,
    every: Duration,
    since: Instant,
    is_leaving: AtomicBool,
    has_left: AtomicBool,
    answered: AtomicU32,
    /// The broker is there.
    restored: Notify,
}

impl Presence {
    pub(super) fn new(
        roster: Watched,
        desk: Arc<Desk>,
        id: Box<str>,
        own: Option<Own>,
        every: Duration,
    ) -> Self {
        let presence = Self {
            roster,
            desk,
            id,
            own,
            every,
            since: now(),
            is_leaving: AtomicBool::new(false),
            has_left: AtomicBool::new(false),
            answered: AtomicU32::new(0),
            restored: Notify::new(),
        };
        if let (Some(own), Some(Said::Here(here))) = (&presence.own, presence.here()) {
            let (digest, catalog) = (own.digest.clone(), own.catalog.clone());
            presence.change(|roster| {
                roster.here(here, now());
                let learned = roster.told(digest, catalog, 0);
                // nobody is silent before there is a broker
                roster.lost();
                ((), learned)
            });
        }
        presence
    }

    /// Speaks, forgets, and asks who is there, for as long as it is polled.
    pub(super) async fn run(self: Arc<Self>) {
        let mut roster = self.roster.subscribe();
        let mut is_new = true;
        let mut next = None;
        loop {
            let forgotten = roster.borrow_and_update().next_forgotten();
            let alarm = async {
                match earliest([next, forgotten]) {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            select! {
                () = alarm => {}
                // somebody else may be the next to be forgotten; it lives as long as this does
                _ = roster.changed() => {}
                () = self.restored.notified() => {
                    let within = if is_new { Duration::ZERO } else { COMING_BACK };
                    next = after(now(), within.mul_f64(random()));
                }
            }
            self.forget();
            if next.is_some_and(|next| next <= now()) {
                self.answered.store(0, Ordering::Relaxed);
                if self.say_here() && is_new {
                    is_new = !self.say(said::TOPIC, &Said::Who { id: self.id.clone() });
                }
                next = after(now(), self.pause().mul_f64(0.8 + 0.2 * random::<f64>()));
            }
        }
    }

    /// How long it is silent at most.
    fn pause(&self) -> Duration {
        let nodes = u32::try_from(self.roster.borrow().len()).unwrap_or(u32::MAX);
        self.every.max(PER_NODE.saturating_mul(nodes))
    }

    fn forget(&self) {
        let now = now();
        if self.roster.borrow().next_forgotten().is_some_and(|next| next <= now) {
            self.change(|roster| ((), roster.forget(now)));
        }
    }

    /// Knows of nobody any more.
    pub(super) fn end(&self) {
        self.change(|roster| (roster.clear(), Vec::new()));
    }

    /// The broker is there.
    pub(super) fn restored(&self) {
        self.change(|roster| (roster.restored(now()), Vec::new()));
        self.restored.notify_one();
    }

    /// Nobody can be heard.
    pub(super) fn lost(&self) {
        self.change(|roster| (roster.lost(), Vec::new()));
    }

    /// Takes no more calls, and says so.
    pub(super) fn drain(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
        self.say_here();
    }

    /// Says that it leaves, and nothing more.
    pub(super) fn leave(&self) {
        if self.own.is_some() {
            self.say(said::TOPIC, &Said::Gone { id: self.id.clone() });
        }
        self.has_left.store(true, Ordering::Relaxed);
    }

    /// A node has said something.
    pub(super) fn hear(&self, body: &[u8]) {
        match Said::read(body) {
            Some(Said::Here(here)) => {
                let node = here.id.clone();
                if self.change(|roster| roster.here(here, now())) {
                    self.say(&topic_of(&node), &Said::Want { id: self.id.clone() });
                }
            }
            Some(Said::Gone { id }) => self.change(|roster| ((), roster.gone(&id))),
            Some(Said::Who { id }) if id != self.id => {
                if let Some(here) = self.here()
                    && self.may_answer(&id)
                {
                    self.say(&topic_of(&id), &here);
                }
            }
            Some(Said::Want { id }) => {
                if let Some(own) = &self.own
                    && self.may_answer(&id)
                {
                    self.tell(&topic_of(&id), own);
                }
            }
            Some(Said::Catalog { digest, catalog }) => {
                // not while it is looked at
                let wants = self.roster.borrow().wants(&digest);
                if wants && let Ok(catalog) = catalog.decode() {
                    self.change(|roster| ((), roster.told(digest, Arc::new(catalog), body.len())));
                }
            }
            Some(Said::Who { .. }) | None => {}
        }
    }

    /// Tells what this node serves, as much of it as the broker carries.
    fn tell(&self, topic: &str, own: &Own) {
        for told in own.told.iter().flatten() {
            if !matches!(self.publish(topic, told.clone()), Err(Unsent::TooLarge(_))) {
                return;
            }
        }
    }

    /// What this node says of itself, unless it only listens.
    fn here(&self) -> Option<Said> {
        let up = now().saturating_duration_since(self.since);
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let is_leaving = self.is_leaving.load(Ordering::Relaxed);
        Some(Said::Here(self.own.as_ref()?.here(&self.id, ms(up), ms(self.pause()), is_leaving)))
    }

    /// Says to everybody that this node is there; whether that went out, if there is anything to say.
    fn say_here(&self) -> bool {
        self.here().is_none_or(|here| self.say(said::TOPIC, &here))
    }

    /// Whether one who asks is told: not more of them than there is time for.
    fn may_answer(&self, id: &str) -> bool {
        said::is_id(id) && self.answered.fetch_add(1, Ordering::Relaxed) < ANSWERS
    }

    /// Says something, if the broker takes it. If not, it is said again soon.
    fn say(&self, topic: &str, said: &Said) -> bool {
        said.spell().is_some_and(|body| self.publish(topic, body).is_ok())
    }

    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        let line = self.desk.line().filter(|_| !self.has_left.load(Ordering::Relaxed));
        line.map_or(Err(Unsent::Lost), |line| line.publish(topic, body))
    }

    /// Hears what others say, by this line.
    pub(super) fn listen(&self, line: &dyn Line) {
        line.subscribe(said::TOPIC);
        line.subscribe(&topic_of(&self.id));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Roster) -> (T, Learned)) -> T {
        let mut changed = None;
        self.roster.send_modify(|roster| changed = Some(change(roster)));
        let (value, learned) = changed.expect("it was changed at once");
        self.learn(learned);
        value
    }

    /// Procedures that are known to be idempotent may be asked for once more.
    fn learn(&self, learned: Learned) {
        for (procedure, is_idempotent) in learned {
            self.desk.repeatable.learn(&procedure, is_idempotent);
        }
    }
}
