//! Every story once more, on the other engines.

use auth_test_servers::Database;

use crate::{
    articles, attacks, bodies, comments, conduit::Conduit, lists, ownership, process, profiles,
    tokens, users,
};

#[test]
fn keeps_the_contract_on_postgresql() {
    keeps_the_contract_on(auth_test_servers::postgres);
}

#[test]
fn keeps_the_contract_on_mysql() {
    keeps_the_contract_on(auth_test_servers::mysql);
}

#[allow(clippy::print_stdout, reason = "shown where a story fails: which one")]
fn keeps_the_contract_on(database: fn() -> Option<Database>) {
    let stories = [
        users::STORIES,
        profiles::STORIES,
        articles::STORIES,
        lists::STORIES,
        comments::STORIES,
        ownership::STORIES,
        bodies::STORIES,
        attacks::STORIES,
        tokens::STORIES,
    ];
    for (name, story) in stories.concat() {
        let Some(database) = database() else { return };
        println!("{name}");
        story(&Conduit::on(database));
    }
    let Some(database) = database() else { return };
    process::survives_a_restart_and_a_kill(Conduit::on(database));
}
