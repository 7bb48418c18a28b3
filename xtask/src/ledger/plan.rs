//! [`Plan`]: what happens, and while which calls are made.

/// Which of the three handlers, or of the two gateways.
pub(super) type Which = usize;

pub(super) const HANDLERS: usize = 3;
pub(super) const GATEWAYS: usize = 2;

/// Something that happens to a process, which is there again after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    /// SIGKILL, and a new start.
    KillHandler(Which),
    KillGateway(Which),
    /// SIGTERM, and a new start once it has ended by itself.
    DrainHandler(Which),
    DrainGateway(Which),
    /// SIGSTOP for 5 seconds.
    StopBroker,
    /// SIGKILL, and a new start with the data it had.
    RestartBroker,
}

/// What is counted of a plan.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Count {
    pub(super) kills: u32,
    pub(super) drains: u32,
    pub(super) broker_stops: u32,
    pub(super) broker_restarts: u32,
}

/// What happens, in this order.
#[derive(Debug)]
pub(super) struct Plan {
    /// While all that can fail does.
    pub(super) faults: Vec<Event>,
    /// While nothing does, but each process is replaced.
    pub(super) drains: Vec<Event>,
    /// How many calls are made in all.
    pub(super) calls: u64,
}

/// How many calls of each level are made for each time that all the faults happen.
const CALLS_A_ROUND: u64 = 25_000;
/// One in so many calls is made while the processes are drained.
const DRAINED: u64 = 5;

/// With so many calls of each of the two levels.
pub(super) fn of(calls: u64) -> Plan {
    let rounds = usize::try_from(calls / CALLS_A_ROUND).unwrap_or(usize::MAX).max(1);
    let round = |round: usize| {
        [
            Event::KillHandler(round % HANDLERS),
            Event::StopBroker,
            Event::DrainHandler((round + 1) % HANDLERS),
            Event::RestartBroker,
            Event::DrainGateway(round % GATEWAYS),
            Event::KillGateway((round + 1) % GATEWAYS),
        ]
    };
    let (handlers, gateways) =
        ((0..HANDLERS).map(Event::DrainHandler), (0..GATEWAYS).map(Event::DrainGateway));
    Plan {
        faults: (0..rounds).flat_map(round).collect(),
        drains: handlers.chain(gateways).collect(),
        calls: 2 * calls,
    }
}

impl Plan {
    /// The first token of the calls that are made while processes are drained and nothing fails.
    pub(super) fn drains_from(&self) -> u64 {
        self.calls - self.calls / DRAINED
    }

    pub(super) fn count(&self) -> Count {
        let mut count = Count::default();
        for event in self.faults.iter().chain(&self.drains) {
            *match event {
                Event::KillHandler(_) | Event::KillGateway(_) => &mut count.kills,
                Event::DrainHandler(_) | Event::DrainGateway(_) => &mut count.drains,
                Event::StopBroker => &mut count.broker_stops,
                Event::RestartBroker => &mut count.broker_restarts,
            } += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_history_has_everything_once() {
        let plan = of(3000);
        let count = Count { kills: 2, drains: 7, broker_stops: 1, broker_restarts: 1 };
        assert_eq!((plan.calls, plan.drains_from(), plan.count()), (6000, 4800, count));
    }

    #[test]
    fn a_long_one_has_it_several_times_to_others() {
        let plan = of(100_000);
        assert_eq!(plan.count().broker_restarts, 4);
        for handler in 0..HANDLERS {
            assert!(plan.faults.contains(&Event::KillHandler(handler)));
        }
    }
}
