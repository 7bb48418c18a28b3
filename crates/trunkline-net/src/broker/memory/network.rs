//! [`Network`]: the nodes of one network, what they serve, and what waits for them.

use super::post::{Post, Posts};
use crate::{
    broker::{Inbox, Member, Request, Ticket, Unsent, waiting::Waiting},
    clock::{after, now},
};
use bytes::Bytes;
use foldhash::fast::RandomState;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// How often, at most, all that waits is looked through for what has expired.
const SELDOM: Duration = Duration::from_millis(100);

/// The nodes of one network, what they serve, and what waits for them.
#[derive(Default)]
pub(super) struct Network {
    /// By their addresses.
    nodes: HashMap<Box<str>, Node, RandomState>,
    /// Those procedures that somebody serves.
    queues: HashMap<Arc<str>, Queue, RandomState>,
    /// What waits in all of them.
    waiting: Waiting,
    /// When it was last looked through for what has expired.
    looked_through: Option<Instant>,
    /// Numbers deliveries.
    delivered: u64,
}

struct Node {
    inbox: Arc<dyn Inbox>,
    prefetch: usize,
    serves: Vec<Arc<str>>,
    topics: HashSet<Box<str>>,
    /// What it holds, by the number of its delivery.
    held: HashMap<u64, (Arc<str>, Asked), RandomState>,
}

/// What waits, and the nodes it waits for, those first that have waited longest for work.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Asked>,
    servers: Vec<Box<str>>,
}

#[derive(Clone)]
struct Asked {
    id: Box<str>,
    reply_to: Box<str>,
    body: Bytes,
    until: Option<Instant>,
    redelivered: bool,
}

impl Asked {
    fn is_awaited_at(&self, time: Instant) -> bool {
        self.until.is_none_or(|until| until > time)
    }
}

impl Network {
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(super) fn has(&self, address: &str) -> bool {
        self.nodes.contains_key(address)
    }

    pub(super) fn attach(&mut self, member: Member, inbox: Arc<dyn Inbox>) {
        let node = Node {
            inbox,
            prefetch: member.prefetch.max(1),
            serves: Vec::new(),
            topics: HashSet::new(),
            held: HashMap::default(),
        };
        self.nodes.insert(member.id, node);
    }

    pub(super) fn serve(&mut self, address: &str, key: Arc<str>, posts: &mut Posts) {
        let Some(node) = self.nodes.get_mut(address).filter(|node| !node.serves.contains(&key)) else {
            return;
        };
        node.serves.push(key.clone());
        self.queues.entry(key.clone()).or_default().servers.push(address.into());
        self.deliver(&key, posts);
    }

    pub(super) fn subscribe(&mut self, address: &str, topic: &str) {
        if let Some(node) = self.nodes.get_mut(address) {
            node.topics.insert(topic.into());
        }
    }

    pub(super) fn unsubscribe(&mut self, address: &str, topic: &str) {
        if let Some(node) = self.nodes.get_mut(address) {
            node.topics.remove(topic);
        }
    }

    pub(super) fn request(
        &mut self,
        from: &str,
        key: &str,
        request: Request<'_>,
        posts: &mut Posts,
    ) -> Result<(), Unsent> {
        let Some((key, _)) = self.queues.get_key_value(key) else {
            self.tell(from, Post::Unroutable { id: request.id.into() }, posts);
            return Ok(());
        };
        let key = key.clone();
        if self.waiting.is_full() {
            self.forget_expired();
            if self.waiting.is_full() {
                return Err(Unsent::Full);
            }
        }
        let (id, until) = (request.id.into(), after(now(), request.expires));
        let asked = Asked { id, reply_to: from.into(), body: request.body, until, redelivered: false };
        self.waiting.add(1, asked.body.len());
        self.queues.entry(key.clone()).or_default().waiting.push_back(asked);
        self.deliver(&key, posts);
        Ok(())
    }

    /// Makes room of what nobody waits for any more, whatever it asks for; not at each
    /// request, as all that waits has to be looked at.
    fn forget_expired(&mut self) {
        let (Self { queues, waiting, looked_through, .. }, now) = (self, now());
        if looked_through.is_some_and(|last| now.saturating_duration_since(last) < SELDOM) {
            return;
        }
        *looked_through = Some(now);
        for queue in queues.values_mut() {
            queue.waiting.retain(|asked| {
                let is_awaited = asked.is_awaited_at(now);
                if !is_awaited {
                    waiting.remove(1, asked.body.len());
                }
                is_awaited
            });
        }
    }

    /// Hands out what waits for those who serve it, as far as they take it.
    fn deliver(&mut self, key: &Arc<str>, posts: &mut Posts) {
        let Self { nodes, queues, waiting, delivered, .. } = self;
        let Some(queue) = queues.get_mut(key) else { return };
        while let Some(asked) = queue.waiting.pop_front() {
            if !asked.is_awaited_at(now()) {
                waiting.remove(1, asked.body.len());
                continue;
            }
            let load = |address: &str| nodes.get(address).filter(|node| node.held.len() < node.prefetch);
            let free = queue.servers.iter().enumerate();
            let free = free.filter_map(|(at, address)| Some((load(address)?.held.len(), at)));
            let Some((_, at)) = free.min() else {
                queue.waiting.push_front(asked);
                return;
            };
            let address = queue.servers.remove(at);
            if let Some(node) = nodes.get_mut(&address) {
                waiting.remove(1, asked.body.len());
                *delivered += 1;
                let ticket = Ticket { restored: 0, number: *delivered };
                let post = Post::Request {
                    reply_to: asked.reply_to.clone(),
                    redelivered: asked.redelivered,
                    body: asked.body.clone(),
                    ticket,
                };
                posts.push((node.inbox.clone(), post));
                node.held.insert(ticket.number, (key.clone(), asked));
            }
            queue.servers.push(address);
        }
    }

    /// Tells one node something, if it is there.
    pub(super) fn tell(&self, address: &str, post: Post, posts: &mut Posts) {
        if let Some(node) = self.nodes.get(address) {
            posts.push((node.inbox.clone(), post));
        }
    }

    pub(super) fn tell_all(&self, post: &Post, posts: &mut Posts) {
        posts.extend(self.nodes.values().map(|node| (node.inbox.clone(), post.clone())));
    }

    pub(super) fn publish(&self, topic: &str, body: &Bytes, posts: &mut Posts) {
        let hearing = self.nodes.values().filter(|node| node.topics.contains(topic));
        posts.extend(
            hearing.map(|node| (node.inbox.clone(), Post::Event { topic: topic.into(), body: body.clone() })),
        );
    }

    pub(super) fn settle(&mut self, address: &str, number: u64, posts: &mut Posts) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        if node.held.remove(&number).is_some() && !self.waiting.is_empty() {
            for key in node.serves.clone() {
                self.deliver(&key, posts);
            }
        }
    }

    /// No request goes to this node any more, but for `kept`. Those that nobody is left to
    /// serve come back.
    pub(super) fn stop_serving(&mut self, address: &str, kept: Option<&str>, posts: &mut Posts) {
        let Some(node) = self.nodes.get_mut(address) else { return };
        for key in node.serves.extract_if(.., |key| kept != Some(&**key)).collect::<Vec<_>>() {
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            queue.servers.retain(|server| **server != *address);
            if queue.servers.is_empty()
                && let Some(queue) = self.queues.remove(&key)
            {
                for Asked { id, reply_to, body, redelivered, .. } in queue.waiting {
                    self.waiting.remove(1, body.len());
                    if !redelivered {
                        self.tell(&reply_to, Post::Unroutable { id }, posts);
                    }
                }
            }
        }
    }

    /// A node goes; what it holds goes to others, if there are any.
    pub(super) fn detach(&mut self, address: &str, posts: &mut Posts) {
        self.stop_serving(address, None, posts);
        let Some(node) = self.nodes.remove(address) else { return };
        let mut held: Vec<_> = node.held.into_iter().collect();
        // before those that wait already, in the order in which they came
        held.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        let mut keys = HashSet::new();
        for (_, (key, asked)) in held {
            if let Some(queue) = self.queues.get_mut(&key) {
                self.waiting.add(1, asked.body.len());
                queue.waiting.push_front(Asked { redelivered: true, ..asked });
                keys.insert(key);
            }
        }
        for key in keys {
            self.deliver(&key, posts);
        }
    }

    /// The broker is lost, and with it all that waits or is held.
    pub(super) fn lose(&mut self, posts: &mut Posts) {
        self.waiting = Waiting::default();
        self.queues.values_mut().for_each(|queue| queue.waiting.clear());
        self.nodes.values_mut().for_each(|node| node.held.clear());
        self.tell_all(&Post::Lost, posts);
    }
}
