#[trunkline::service]
trait Math {
    async fn add<N>(&self, a: N, b: N) -> N;

    async fn name(&self, of: impl ToString) -> String;
}

fn main() {}

//~ 3:18 a procedure has one signature, which callers know: use concrete types in place of generics
//~ 5:30 callers need to know the type: write a concrete one instead of `impl …`
