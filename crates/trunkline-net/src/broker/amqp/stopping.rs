//! [`Stopping`]: how a node ends to serve.
//!
//! It takes no more of each queue, and looks who else does. If nobody does, it has the
//! queue get no more requests, so that callers are told at once that nobody is there, and
//! takes what waits in it. One binding is all nodes': whoever begins to serve says once
//! more that the queue is to be bound when it has begun to take from it, and whoever has
//! unbound it looks once more whether somebody takes from it, and then binds it again; so
//! that it is bound, whichever of them RabbitMQ hears first.

use super::careful::{Careful, Job};
use std::collections::{HashSet, VecDeque};

/// What is left to do until nothing is served any more that is not to be.
#[derive(Default)]
pub(super) struct Stopping {
    /// How many procedures are not done with.
    open: usize,
    /// Those of which something may still be delivered to us.
    consumed: HashSet<usize>,
    /// Those whose queues nobody is left to take from but us, and which have something.
    left_to_us: VecDeque<usize>,
    /// Whether the first of these was asked for a message.
    has_asked: bool,
    /// Whether we take it: a node that leaves at once does not.
    takes: bool,
}

impl Stopping {
    /// These are served no more, either.
    pub(super) fn begin(&mut self, numbers: Vec<usize>, takes: bool) {
        self.open += numbers.len();
        self.consumed.extend(numbers);
        self.takes = takes;
    }

    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Nothing more is delivered to us of this procedure.
    pub(super) fn cancelled(&mut self, number: usize, careful: &mut Careful) {
        if self.consumed.remove(&number) {
            careful.ask(Job::Count(number));
        }
    }

    /// A job is done; of those that count, how many take from the queue and how much there is.
    pub(super) fn done(&mut self, job: Job, (consumers, messages): (u32, u32), careful: &mut Careful) {
        match job {
            Job::Count(number) if consumers == 0 => careful.ask(Job::Unbind(number)),
            Job::Unbind(number) => careful.ask(Job::Recount(number)),
            Job::Recount(number) if consumers > 0 => careful.ask(Job::Rebind(number)),
            Job::Recount(number) if messages > 0 && self.takes => self.left_to_us.push_back(number),
            Job::Count(_) | Job::Recount(_) | Job::Rebind(_) => self.open -= 1,
            Job::Bind(_) | Job::Keep(_) => {}
        }
    }

    /// A job was refused: there is nothing to be done about its queue.
    pub(super) fn refused(&mut self, job: Job) {
        match job {
            Job::Bind(_) => {}
            Job::Keep(number) => {
                let before = self.left_to_us.len();
                self.left_to_us.retain(|one| *one != number);
                self.open -= before - self.left_to_us.len();
            }
            _ => self.open -= 1,
        }
    }

    /// The queue to take one message from, if there is any.
    pub(super) fn take_one(&mut self) -> Option<usize> {
        let number = *self.left_to_us.front().filter(|_| !self.has_asked)?;
        self.has_asked = true;
        Some(number)
    }

    /// What was asked for has come.
    pub(super) fn taken(&mut self) {
        self.has_asked = false;
    }

    /// There was nothing more.
    pub(super) fn emptied(&mut self) {
        self.has_asked = false;
        if self.left_to_us.pop_front().is_some() {
            self.open -= 1;
        }
    }

    /// Takes nothing more: the node leaves.
    pub(super) fn leave_the_rest(&mut self) {
        self.takes = false;
        self.open -= self.left_to_us.len();
        self.left_to_us.clear();
    }

    /// RabbitMQ is to keep the queues that we have not come to.
    pub(super) fn keep_queues(&self, careful: &mut Careful) {
        self.left_to_us.iter().for_each(|number| careful.ask(Job::Keep(*number)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::amqp::names::Names;
    use bytes::BytesMut;

    fn stopping(procedures: usize, takes: bool) -> Stopping {
        let mut stopping = Stopping::default();
        stopping.begin((0..procedures).collect(), takes);
        stopping
    }

    /// Plays one procedure's stop, each job with what is counted; which jobs they were.
    fn played(stopping: &mut Stopping, counts: &[(u32, u32)]) -> Vec<Job> {
        let (keys, names, mut careful) = (["a".to_owned()], Names::new("n"), Careful::new());
        stopping.cancelled(0, &mut careful);
        let mut jobs = Vec::new();
        for counted in counts {
            careful.write(&keys, &names, &mut BytesMut::new());
            let job = careful.answered().unwrap();
            stopping.done(job, *counted, &mut careful);
            jobs.push(job);
        }
        assert!(careful.is_idle());
        jobs
    }

    #[test]
    fn the_last_unbinds_and_takes_what_is_left_unless_somebody_comes_meanwhile() {
        let mut with_others = stopping(1, true);
        assert_eq!(played(&mut with_others, &[(1, 7)]), [Job::Count(0)]);
        assert!(with_others.is_done());

        let mut last = stopping(1, true);
        let jobs = played(&mut last, &[(0, 7), (0, 0), (0, 7)]);
        assert_eq!(jobs, [Job::Count(0), Job::Unbind(0), Job::Recount(0)]);
        assert_eq!((last.take_one(), last.take_one(), last.is_done()), (Some(0), None, false));
        last.taken();
        assert_eq!(last.take_one(), Some(0));
        last.emptied();
        assert!(last.is_done());

        let mut followed = stopping(1, true);
        let jobs = played(&mut followed, &[(0, 7), (0, 0), (1, 7), (0, 0)]);
        assert_eq!(jobs, [Job::Count(0), Job::Unbind(0), Job::Recount(0), Job::Rebind(0)]);
        assert!(followed.is_done());

        let mut hurried = stopping(1, true);
        played(&mut hurried, &[(0, 7), (0, 0), (0, 7)]);
        assert_eq!(hurried.take_one(), Some(0));
        hurried.leave_the_rest();
        assert!(hurried.is_done());
        hurried.emptied();
        assert!(hurried.is_done());

        let mut leaving = stopping(1, false);
        played(&mut leaving, &[(0, 7), (0, 0), (0, 7)]);
        assert!(leaving.is_done());
    }

    #[test]
    fn queues_that_are_gone_are_done_with() {
        let mut stopping = stopping(2, true);
        stopping.refused(Job::Count(1));
        played(&mut stopping, &[(0, 1), (0, 0), (0, 1)]);
        assert!(!stopping.is_done());
        stopping.refused(Job::Keep(0));
        stopping.refused(Job::Keep(0));
        assert!(stopping.is_done());
    }
}
