#[trunkline::service]
trait Math {
    async fn add<N>(&self, a: N, b: N) -> N;

    async fn name(&self, of: impl ToString) -> String;
}

fn main() {}
