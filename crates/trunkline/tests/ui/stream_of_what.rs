#![allow(unused_imports)]

use futures_util::Stream;

#[trunkline::service]
trait Clock {
    async fn ticks(&self) -> impl Stream;

    async fn names(&self) -> impl Iterator<Item = String>;

    #[procedure(parallel)]
    async fn primes(&self) -> impl Stream<Item = u64>;
}

fn main() {}
