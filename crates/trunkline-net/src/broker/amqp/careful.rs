//! [`Careful`]: a channel for what RabbitMQ may refuse.
//!
//! To refuse something, RabbitMQ closes the channel that it was asked on. So all that may be
//! wrong with one procedure's queue is asked here, where nothing else is: a queue whose node
//! of the cluster is down, or that another program has declared otherwise, costs none of
//! the rest.

use super::{
    frames::{self, SET_UP},
    names::Names,
    topology,
};
use amq_protocol::protocol::{AMQPClass, channel};
use bytes::BytesMut;
use std::collections::VecDeque;

/// How many jobs are asked for before they are answered: all that follow one that is
/// refused are asked once more.
const AT_ONCE: usize = 32;

/// Something to be done for the procedure of this number; it is answered once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Job {
    /// Its queue is to be there, and to get its requests.
    Bind(usize),
    /// Its queue is to get no more of them.
    Unbind(usize),
    /// Who takes from its queue, and how much there is; see [`Stopping`](super::stopping).
    Count(usize),
    /// The same, once it gets no more.
    Recount(usize),
    /// Its queue is to get requests after all.
    Rebind(usize),
    /// Its queue is not to go, though nobody takes from it.
    Keep(usize),
}

/// A channel for what RabbitMQ may refuse.
pub(super) struct Careful {
    due: VecDeque<Job>,
    /// Those that are to be answered, the oldest first.
    asked: VecDeque<Job>,
    is_open: bool,
}

impl Careful {
    /// The channel as it is when a connection begins: open.
    pub(super) fn new() -> Self {
        Self { due: VecDeque::new(), asked: VecDeque::new(), is_open: true }
    }

    pub(super) fn ask(&mut self, job: Job) {
        self.due.push_back(job);
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.due.is_empty() && self.asked.is_empty()
    }

    /// Asks for as much as may be.
    pub(super) fn write(&mut self, keys: &[String], names: &Names, out: &mut BytesMut) {
        while self.is_open && self.asked.len() < AT_ONCE {
            let Some(job) = self.due.pop_front() else { return };
            match job {
                Job::Bind(number) | Job::Rebind(number) => {
                    topology::bind_procedure(out, names, &keys[number]);
                }
                Job::Unbind(number) => topology::unbind_procedure(out, names, &keys[number]),
                Job::Count(number) | Job::Recount(number) | Job::Keep(number) => {
                    topology::count(out, names, &keys[number]);
                }
            }
            self.asked.push_back(job);
        }
    }

    /// The oldest job has been done.
    pub(super) fn answered(&mut self) -> Option<Job> {
        self.asked.pop_front()
    }

    /// The channel has been closed, as the oldest job was refused; it is opened again for
    /// the others.
    pub(super) fn refused(&mut self, out: &mut BytesMut) -> Option<Job> {
        let refused = self.asked.pop_front();
        while let Some(job) = self.asked.pop_back() {
            self.due.push_front(job);
        }
        self.is_open = false;
        for method in
            [channel::AMQPMethod::CloseOk(channel::CloseOk {}), channel::AMQPMethod::Open(channel::Open {})]
        {
            frames::method(out, SET_UP, AMQPClass::Channel(method));
        }
        refused
    }

    pub(super) fn opened(&mut self) {
        self.is_open = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_costs_none_of_the_rest() {
        let (keys, names) = (vec!["a::b::1".to_owned(); AT_ONCE + 2], Names::new("n"));
        let (mut careful, mut out) = (Careful::new(), BytesMut::new());
        (0..keys.len()).for_each(|number| careful.ask(Job::Bind(number)));
        careful.write(&keys, &names, &mut out);
        assert_eq!(careful.answered(), Some(Job::Bind(0)));
        assert_eq!(careful.refused(&mut out), Some(Job::Bind(1)));
        out.clear();
        careful.write(&keys, &names, &mut out);
        assert!(out.is_empty(), "nothing is said on a channel that is not open");
        careful.opened();
        careful.write(&keys, &names, &mut out);
        let rest: Vec<_> = std::iter::from_fn(|| {
            careful.write(&keys, &names, &mut out);
            careful.answered()
        })
        .collect();
        assert_eq!(rest, (2..keys.len()).map(Job::Bind).collect::<Vec<_>>());
        assert!(careful.is_idle());
    }
}
