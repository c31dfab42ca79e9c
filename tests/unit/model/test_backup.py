"""What people see of a repository holds no password."""

import pytest

from underway.model.backup import shown_repository


@pytest.mark.parametrize(
    ("repository", "shown"),
    [
        ("rest:https://team:hunter2@a.example/libra", "rest:https://team:***@a.example/libra"),
        ("rest:https://team:hunt@er2@a.example/", "rest:https://team:***@a.example/"),
        ("s3:http://a.example:9000/bucket", "s3:http://a.example:9000/bucket"),
        ("/srv/backups", "/srv/backups"),
    ],
)
def test_a_repository_is_shown_without_its_password(repository: str, shown: str) -> None:
    assert shown_repository(repository) == shown
