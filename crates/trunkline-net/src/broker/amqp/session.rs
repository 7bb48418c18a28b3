//! [`Session`]: a connection to the broker, from being open to its end.

mod hearing;

use super::{
    address::Address,
    careful::{Careful, Job},
    frames,
    held::Held,
    incoming::Incoming,
    opening::{Opened, PATIENCE},
    outbox::{Outbox, SetUp},
    over::Over,
    serving::Serving,
    stopping::Stopping,
    topology,
    trouble::Trouble,
};
use crate::{broker::Inbox, clock::now};
use amq_protocol::protocol::{AMQPClass, connection};
use bytes::BytesMut;
use std::{
    collections::HashMap,
    io, mem,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    select,
    time::{MissedTickBehavior, interval},
};

/// How much is read at once.
const READ: usize = 64 << 10;

/// A connection to the broker, from being open to its end.
pub(super) struct Session<'a> {
    address: &'a Address,
    outbox: &'a Outbox,
    inbox: &'a dyn Inbox,
    frame_max: usize,
    /// What is being written.
    out: BytesMut,
    /// Until all is set up.
    set_up: Option<SetUp>,
    /// Which of the times that the line was restored, once it is.
    restored: Option<u64>,
    serving: Serving,
    /// Whether what comes for procedures is taken.
    consumes: bool,
    /// Of how many of them the broker has not said yet that it has heard so.
    unconfirmed: usize,
    careful: Careful,
    /// When the broker last did something for which it is waited.
    last_done: Instant,
    held: Held,
    /// Those of them that the node has no room for yet, or that came before it was told that the
    /// broker is there.
    over: Over,
    /// What has come in part, by its channel.
    incoming: HashMap<u16, Incoming>,
    stopping: Option<Stopping>,
    /// The broker takes nothing for now, and so does nothing either.
    is_blocked: bool,
    is_leaving: bool,
    has_said_bye: bool,
    has_ended: bool,
}

impl<'a> Session<'a> {
    /// Speaks for the node until it leaves, or the broker is lost; whether it was there
    /// until then.
    pub(super) async fn run(
        opened: Opened,
        address: &'a Address,
        outbox: &'a Outbox,
        inbox: &'a dyn Inbox,
    ) -> (bool, Result<(), Trouble>) {
        let mut session = Self {
            address,
            outbox,
            inbox,
            frame_max: opened.frame_max,
            out: BytesMut::new(),
            set_up: None,
            restored: None,
            serving: Serving::default(),
            consumes: false,
            unconfirmed: 0,
            careful: Careful::new(),
            last_done: now(),
            held: Held::default(),
            over: Over::default(),
            incoming: HashMap::new(),
            stopping: None,
            is_blocked: false,
            is_leaving: false,
            has_said_bye: false,
            has_ended: false,
        };
        session.set_up = Some(outbox.set_up(&mut session.out));
        let ended = session.speak(opened).await;
        (session.restored.is_some(), ended)
    }

    async fn speak(&mut self, opened: Opened) -> Result<(), Trouble> {
        let Opened { stream, mut input, heartbeat, .. } = opened;
        let (mut reader, mut writer) = split(stream);
        let mut ticks = interval(heartbeat / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut said, mut is_flushed) = (now(), now(), true);
        let mut settled = Vec::new();
        self.hear_all(&mut input)?;
        while !self.has_ended {
            if self.out.is_empty() && self.restored.is_some() && self.serving.is_set_up() {
                self.take(&mut settled);
            }
            self.go_on_asking();
            input.reserve(READ);
            select! {
                read = reader.read_buf(&mut input) => {
                    if read? == 0 {
                        return Err(Trouble::Closed);
                    }
                    heard = now();
                    self.hear_all(&mut input)?;
                }
                sent = send(&mut writer, &mut self.out), if !self.out.is_empty() || !is_flushed => {
                    (said, is_flushed) = (now(), sent?);
                }
                () = self.outbox.said.notified(), if self.out.is_empty() => {}
                _ = ticks.tick() => self.beat(heartbeat, heard, said)?,
                () = self.outbox.dropped.cancelled() => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes what there is to say by now.
    fn take(&mut self, settled: &mut Vec<u64>) {
        let orders = self.outbox.take(self.serving.keys.len(), &mut self.out, settled);
        // after all that was said before, such as the answers
        self.held.settle(settled.drain(..), &mut self.out);
        if !orders.leave {
            self.hand_over();
        }
        if !orders.to_serve.is_empty() {
            self.serve(orders.to_serve);
        }
        if !orders.to_stop.is_empty() {
            self.stop(&orders.to_stop, !orders.leave);
        }
        if orders.leave {
            self.is_leaving = true;
            self.stopping.iter_mut().for_each(Stopping::leave_the_rest);
        }
    }

    /// More is to be served.
    fn serve(&mut self, keys: Vec<String>) {
        self.last_done = now();
        let from = self.serving.add(keys);
        (from..self.serving.keys.len()).for_each(|number| self.careful.ask(Job::Bind(number)));
    }

    /// Takes what comes for a procedure.
    fn consume(&mut self, number: usize) {
        let key = &self.serving.keys[number];
        topology::consume_procedure(&mut self.out, &self.outbox.names, key, number);
        self.unconfirmed += 1;
    }

    /// Serves these no more; what waits for us is taken first if it `takes` it.
    fn stop(&mut self, numbers: &[usize], takes: bool) {
        self.last_done = now();
        let numbers = self.serving.stop(numbers);
        numbers.iter().for_each(|number| topology::leave_procedure(&mut self.out, *number));
        self.stopping.get_or_insert_default().begin(numbers, takes);
    }

    /// Asks for what is due, and is done with what is done.
    fn go_on_asking(&mut self) {
        self.careful.write(&self.serving.keys, &self.outbox.names, &mut self.out);
        if let Some(stopping) = &mut self.stopping {
            if stopping.is_done() {
                // what has come is the node's first, as far as it has room for it
                if self.over.is_empty() || self.is_leaving {
                    self.stopping = None;
                    self.outbox.has_stopped();
                }
            } else if self.over.is_empty()
                && self.held.len() < self.outbox.member.prefetch
                && let Some(number) = stopping.take_one()
            {
                let queue = self.outbox.names.queue(&self.serving.keys[number]);
                topology::take_one(&mut self.out, &queue);
            }
        }
        if self.is_leaving && self.stopping.is_none() && !mem::replace(&mut self.has_said_bye, true) {
            let close = connection::Close {
                reply_code: 200,
                reply_text: topology::short("bye"),
                class_id: 0,
                method_id: 0,
            };
            frames::method(&mut self.out, 0, AMQPClass::Connection(connection::AMQPMethod::Close(close)));
        }
    }

    /// From time to time.
    fn beat(&mut self, heartbeat: Duration, heard: Instant, said: Instant) -> Result<(), Trouble> {
        let now = now();
        if now.saturating_duration_since(heard) > heartbeat * 2 {
            return Err(Trouble::Silent);
        }
        // procedures that were refused are waited for by nobody
        let is_stopping = self.stopping.as_ref().is_some_and(|stopping| !stopping.is_done());
        let is_awaited = self.set_up.is_some() || !self.serving.is_set_up() || is_stopping;
        if is_awaited && !self.is_blocked && now.saturating_duration_since(self.last_done) > PATIENCE {
            return Err(Trouble::Late);
        }
        if let Some(stopping) = &self.stopping {
            stopping.keep_queues(&mut self.careful);
        } else if !self.is_leaving {
            self.serving.due(now).into_iter().for_each(|number| self.careful.ask(Job::Bind(number)));
        }
        self.held.settle_old(now, &mut self.out);
        if self.out.is_empty() && now.saturating_duration_since(said) >= heartbeat / 2 {
            frames::heartbeat(&mut self.out);
        }
        Ok(())
    }
}

/// Sends some of what there is to be sent, or sees to it that it leaves, which is the last
/// thing to do and then `true`.
async fn send(writer: &mut (impl AsyncWrite + Unpin), out: &mut BytesMut) -> io::Result<bool> {
    if out.is_empty() {
        writer.flush().await?;
        return Ok(true);
    }
    match writer.write_buf(out).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        _ => Ok(false),
    }
}
