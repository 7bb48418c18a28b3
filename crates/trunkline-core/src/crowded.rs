//! Procedures of which only so many calls run at a time.

use crate::{
    call::Call,
    fault::{Fault, FaultKind},
    lag::Lag,
    procedure::{BoxRunning, Procedure, Running},
    reply::Reply,
    schema::Schemas,
    signature::Signature,
    states::States,
};
use serde_json::json;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
};

/// A procedure of which only so many calls run at a time, of all callers together.
pub(crate) struct Crowded {
    pub(crate) procedure: Arc<dyn Procedure>,
    pub(crate) crowd: Crowd,
}

/// How many calls run, and how many may; copies share both.
#[derive(Clone)]
pub(crate) struct Crowd {
    most: usize,
    running: Arc<AtomicUsize>,
}

impl Crowd {
    /// Of at most so many.
    pub(crate) fn of(most: usize) -> Self {
        Self { most, running: Arc::default() }
    }

    /// Room for one more.
    fn enter(&self) -> Result<Room, Fault> {
        let Self { most, running } = self;
        let entered = running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < *most).then_some(count + 1));
        match entered {
            Ok(_) => Ok(Room(running.clone())),
            Err(_) => Err(full(*most)),
        }
    }
}

impl Procedure for Crowded {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        let room = self.crowd.enter()?;
        Ok(Box::pin(Admitted { running: self.procedure.start(call)?, _room: room }))
    }

    fn check(&self, states: &States) -> Result<(), String> {
        self.procedure.check(states)
    }

    fn signature(&self, schemas: &mut Schemas) -> Signature {
        self.procedure.signature(schemas)
    }

    fn streams(&self) -> bool {
        self.procedure.streams()
    }

    fn takes_stream(&self) -> bool {
        self.procedure.takes_stream()
    }
}

/// The room that a call takes up; dropping it gives it back.
struct Room(Arc<AtomicUsize>);

impl Drop for Room {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cold]
fn full(most: usize) -> Fault {
    let fault = Fault::new(FaultKind::Unavailable, "as many calls of this procedure run as may at a time");
    fault.with_data(json!({"limit": most, "setting": "max_running"}))
}

/// A call for which there was room. What it runs is dropped before that is given back.
struct Admitted {
    running: BoxRunning,
    _room: Room,
}

impl Running for Admitted {
    fn lag(&self) -> Option<Lag> {
        self.running.lag()
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        self.running.as_mut().poll(cx, reply)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        self.running.as_mut().poll_next(cx, item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Router, handler::handler};
    use futures_util::FutureExt;

    #[test]
    fn room_is_given_back_however_a_call_ends() {
        let held = handler(async |hold: bool| {
            if hold {
                std::future::pending::<()>().await;
            }
        });
        let router = Router::new().procedure("held", held.max_running(1)).seal();
        let context = Context::local();
        let call = |args| Box::pin(router.call("held", Some(crate::Payload::Json(args)), &context));
        let mut first = call("[true]");
        assert!((&mut first).now_or_never().is_none());
        let fault = call("[false]").now_or_never().unwrap().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unavailable);
        assert_eq!(fault.raw_data(), Some(r#"{"limit":1,"setting":"max_running"}"#));
        drop(first);
        assert_eq!(call(r#"["no"]"#).now_or_never().unwrap().unwrap_err().kind(), FaultKind::InvalidArgs);
        for _ in 0..3 {
            assert!(call("[false]").now_or_never().unwrap().is_ok());
        }
    }

    #[test]
    fn routers_that_share_a_procedure_share_its_room() {
        let held = handler(async || std::future::pending::<()>().await).max_running(1);
        let router = Router::new().procedure("held", held);
        let around = async |call: crate::OwnedCall, next: crate::Next| next.run(call).await;
        let one = router.clone().layer(around).seal();
        let other = Router::new().scope("old", router.clone()).merge(router).seal();
        let context = Context::local();
        let mut first = Box::pin(one.call("held", None, &context));
        assert!((&mut first).now_or_never().is_none());
        for name in ["held", "old.held"] {
            let refused = Box::pin(other.call(name, None, &context)).now_or_never();
            assert_eq!(refused.unwrap().unwrap_err().kind(), FaultKind::Unavailable, "{name}");
        }
        drop(first);
        assert!(Box::pin(other.call("old.held", None, &context)).now_or_never().is_none());
    }
}
