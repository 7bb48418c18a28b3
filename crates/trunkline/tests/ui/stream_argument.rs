#![allow(unused_imports)]

use futures_util::Stream;

#[trunkline::service]
trait Sums {
    async fn zip(&self, left: impl Stream<Item = u64>, right: impl Stream<Item = u64>) -> u64;

    async fn named(&self, #[arg(name = "values")] numbers: impl Stream<Item = u64>) -> u64;

    async fn of_what(&self, numbers: impl Stream) -> u64;

    async fn all(&self, numbers: impl Iterator<Item = u64>) -> u64;

    #[procedure(notification)]
    async fn told(&self, numbers: impl Stream<Item = u64>);
}

fn main() {}
