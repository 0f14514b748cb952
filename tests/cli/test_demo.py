"""`kvmperf demo` as a user runs it."""


def test_the_demo_on_a_server_prints_no_password(kvmperf, postgresql):
    url = postgresql(empty=True)
    told = f"{url}{'&' if '?' in url else '?'}password=SECRET"

    said = kvmperf("demo", "--no-serve", "--db", told)

    assert "SECRET" not in said.stdout + said.stderr
    assert said.stdout.count("password=***") == 5
