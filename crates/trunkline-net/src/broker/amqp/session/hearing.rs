//! What a [`Session`] does with what RabbitMQ says.

use super::Session;
use crate::{
    broker::{
        Arrival, Delivery, Ticket,
        amqp::{
            careful::Job,
            frames::{self, CHANNEL, Frame, SET_UP},
            incoming::Incoming,
            over,
            reading::{Announced, Kind, Properties},
            topology,
            trouble::Trouble,
        },
    },
    clock::{after, now},
};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection, queue};
use bytes::{Bytes, BytesMut};

impl Session<'_> {
    /// Acts upon all frames that have come.
    pub(super) fn hear_all(&mut self, input: &mut BytesMut) -> Result<(), Trouble> {
        while let Some(frame) = frames::read(input, self.frame_max)? {
            match frame {
                Frame::Message(channel, announced) => {
                    self.incoming.insert(channel, Incoming::new(announced));
                }
                Frame::Method(_, AMQPClass::Basic(method)) => self.basic(method)?,
                Frame::Method(SET_UP, method) => self.careful(method)?,
                Frame::Method(_, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(_))) => {
                    // once: all else that is declared is said on the careful channel
                    if self.set_up.is_some() && self.serving.keys.is_empty() {
                        self.serve(self.outbox.to_serve());
                        self.go_on_setting_up();
                    }
                }
                Frame::Method(CHANNEL, AMQPClass::Queue(queue::AMQPMethod::BindOk(_))) => {
                    self.last_done = now();
                    self.unconfirmed = self.unconfirmed.saturating_sub(1);
                    self.go_on_setting_up();
                }
                Frame::Method(_, AMQPClass::Connection(method)) => self.connection(method)?,
                Frame::Method(_, AMQPClass::Channel(channel::AMQPMethod::Close(close))) => {
                    let trouble = Trouble::of_channel(&close);
                    if let Trouble::TooLarge(largest) = trouble {
                        self.outbox.take_no_larger(largest);
                    }
                    return Err(trouble);
                }
                Frame::Method(..) | Frame::Heartbeat | Frame::Start => {}
                Frame::Header(channel, header) => {
                    let incoming = self.incoming.remove(&channel).ok_or(frames::Unreadable)?;
                    self.go_on(channel, incoming.begun(header));
                }
                Frame::Body(channel, part) => {
                    let incoming = self.incoming.remove(&channel).ok_or(frames::Unreadable)?;
                    self.go_on(channel, incoming.continued(&part)?);
                }
            }
            // what comes means the same however it was split
            self.careful.write(&self.serving.keys, &self.outbox.names, &mut self.out);
        }
        Ok(())
    }

    fn connection(&mut self, method: connection::AMQPMethod) -> Result<(), Trouble> {
        match method {
            connection::AMQPMethod::Close(close) => {
                return Err(Trouble::Refused(close.reply_code, close.reply_text.to_string()));
            }
            connection::AMQPMethod::CloseOk(_) => self.has_ended = true,
            connection::AMQPMethod::Blocked(blocked) => {
                let reason = blocked.reason.as_str();
                tracing::warn!(reason, "RabbitMQ takes no messages for now: calls are refused until it does");
                self.is_blocked = true;
                self.outbox.block(true);
            }
            connection::AMQPMethod::Unblocked(_) => {
                tracing::info!("RabbitMQ takes messages again");
                (self.is_blocked, self.last_done) = (false, now());
                self.outbox.block(false);
            }
            _ => {}
        }
        Ok(())
    }

    fn basic(&mut self, method: basic::AMQPMethod) -> Result<(), Trouble> {
        match method {
            basic::AMQPMethod::GetEmpty(_) => {
                self.last_done = now();
                if let Some(stopping) = &mut self.stopping {
                    stopping.emptied();
                }
            }
            basic::AMQPMethod::CancelOk(it) => {
                self.last_done = now();
                let number = topology::procedure_of(it.consumer_tag.as_str());
                if let (Some(stopping), Some(number)) = (&mut self.stopping, number) {
                    stopping.cancelled(number, &mut self.careful);
                }
            }
            basic::AMQPMethod::Cancel(it) => {
                let number = topology::procedure_of(it.consumer_tag.as_str());
                let number = number.ok_or_else(|| Trouble::QueueDeleted(it.consumer_tag.to_string()))?;
                if self.serving.wants(number) {
                    self.careful.ask(Job::Bind(number));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What is said where procedures are set up.
    fn careful(&mut self, method: AMQPClass) -> Result<(), Trouble> {
        let counted = match method {
            AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)) => {
                self.careful.opened();
                return Ok(());
            }
            AMQPClass::Channel(channel::AMQPMethod::Close(close)) => {
                let trouble = Trouble::Refused(close.reply_code, close.reply_text.to_string());
                let Some(job) = self.careful.refused(&mut self.out) else { return Err(trouble) };
                self.last_done = now();
                if let Job::Bind(number) = job {
                    self.serving.refused(number, &trouble, now());
                    self.go_on_setting_up();
                }
                if let Some(stopping) = &mut self.stopping {
                    stopping.refused(job);
                }
                return Ok(());
            }
            AMQPClass::Queue(queue::AMQPMethod::DeclareOk(it)) => (it.consumer_count, it.message_count),
            AMQPClass::Queue(queue::AMQPMethod::BindOk(_) | queue::AMQPMethod::UnbindOk(_)) => (0, 0),
            _ => return Ok(()),
        };
        let Some(job) = self.careful.answered() else { return Ok(()) };
        self.last_done = now();
        if let Job::Bind(number) = job {
            self.serving.bound(number);
            if self.consumes && self.serving.wants(number) {
                self.consume(number);
            }
            self.go_on_setting_up();
        }
        if let Some(stopping) = &mut self.stopping {
            stopping.done(job, counted, &mut self.careful);
        }
        Ok(())
    }

    /// Takes what comes for the procedures once all have their queues, and says that the broker
    /// is there once it takes note of that: who looks then whether anybody serves them, as those
    /// do who stop, finds this node.
    fn go_on_setting_up(&mut self) {
        if self.set_up.is_none() || !self.serving.is_set_up() {
            return;
        }
        if !self.consumes {
            let Some(unwanted) = self.outbox.begin(self.serving.keys.len()) else {
                self.has_ended = true;
                return;
            };
            if !unwanted.is_empty() {
                self.stop(&unwanted, false);
            }
            self.consumes = true;
            let bound: Vec<_> = self.serving.all_bound().collect();
            bound.into_iter().for_each(|number| self.consume(number));
        }
        if self.unconfirmed == 0 {
            self.restore();
        }
    }

    /// Says that the broker is there, if that was not said.
    fn restore(&mut self) {
        let Some(set_up) = self.set_up.take() else { return };
        let Some(restored) = self.outbox.restore(set_up, self.frame_max, &mut self.out) else {
            self.has_ended = true;
            return;
        };
        self.restored = Some(restored);
        tracing::info!(address = %self.address, "RabbitMQ is there");
        self.inbox.arrived(Arrival::Restored);
        self.hand_over();
    }

    /// Gives the node as many requests as it has room for.
    pub(super) fn hand_over(&mut self) {
        if self.restored.is_none() {
            return;
        }
        // what was held for too long is settled, and may still wait
        while self.held.len().saturating_sub(self.over.len()) < self.outbox.member.prefetch {
            let Some(request) = self.over.pop() else { return };
            if request.until.is_some_and(|until| until <= now()) {
                self.held.settle([request.tag], &mut self.out);
            } else {
                self.give(request);
            }
        }
    }

    /// Gives the node a request.
    fn give(&self, request: over::Request) {
        let over::Request { tag, redelivered, reply_to, body, .. } = request;
        let Some(restored) = self.restored else { return };
        let ticket = Ticket { restored, number: tag };
        self.inbox.arrived(Arrival::Request(Delivery { reply_to: &reply_to, redelivered, body, ticket }));
    }

    /// Hands on what has arrived, if all of it has.
    fn go_on(&mut self, channel: u16, incoming: Incoming) {
        if !incoming.is_whole() {
            self.incoming.insert(channel, incoming);
            return;
        }
        if !self.consumes || self.is_leaving {
            return;
        }
        let Incoming { announced, properties, body, .. } = incoming;
        let is_readable = properties.is_ok();
        let properties = properties.unwrap_or_else(|reason| {
            tracing::warn!(reason, "a message of others on RabbitMQ was passed over");
            Properties::default()
        });
        let Properties { kind, reply_to, expires, message_id } = properties;
        let body = Bytes::from(body);
        match announced {
            Announced::Request { tag, redelivered, was_asked_for } => {
                self.held.add(tag, now());
                if was_asked_for && let Some(stopping) = &mut self.stopping {
                    stopping.taken();
                }
                if !is_readable || kind != Kind::Request {
                    return self.held.settle([tag], &mut self.out);
                }
                let until = expires.and_then(|expires| after(now(), expires));
                let request = over::Request { tag, redelivered, reply_to, body, until };
                if self.over.is_full() {
                    // more than can wait until all is set up
                    self.restore();
                    self.give(request);
                } else {
                    self.over.push(request);
                    self.hand_over();
                }
            }
            _ if self.restored.is_none() => {}
            Announced::Answer if kind == Kind::Response && is_readable => {
                self.inbox.arrived(Arrival::Answer(body));
            }
            Announced::Event { topic: Some(topic) } if is_readable => {
                self.inbox.arrived(Arrival::Event { topic: &topic, body });
            }
            Announced::Returned => self.inbox.arrived(Arrival::Unroutable { id: &message_id }),
            Announced::Answer | Announced::Event { .. } => {}
        }
    }
}
