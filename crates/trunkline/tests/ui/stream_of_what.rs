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

//~ 7:30 say what the items of the stream are: `impl Stream<Item = T>`
//~ 9:30 a client needs to know the type: write a concrete one, or `impl Stream<Item = T>`
//~ 12:14 what gives a stream runs on the task of its connection: spawn the work inside of it, and drop `parallel`
