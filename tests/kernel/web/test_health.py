import pytest

from kernel.web.health import health_of
from tests.kernel.tables import db
from tests.kernel.web.a_program import a_program


@pytest.mark.security("18.9")
@pytest.mark.product("OPS-1")
def test_a_living_process_says_so():
    response = a_program().test_client().get("/healthz")

    assert (response.status_code, response.json) == (200, {"status": "ok"})


@pytest.mark.security("18.9")
def test_it_is_ready_when_its_database_answers(tmp_path):
    app = a_program(db=db, database_url=f"sqlite:///{tmp_path}/kernel.sqlite3")

    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json) == (200, {"status": "ok"})
    with app.app_context():
        db.engine.dispose()


@pytest.mark.security("18.9")
def test_it_is_not_ready_when_its_database_is_gone_and_tells_no_more_than_that():
    app = a_program()

    def gone() -> bool:
        raise ConnectionError("host=db.internal password=s3cret")

    health_of(app).add("database", gone)
    response = app.test_client().get("/readyz")

    assert response.status_code == 503
    assert response.json == {"status": "failing", "failing": ["database"]}


@pytest.mark.security("18.4")
def test_it_is_not_ready_while_it_goes_down():
    app = a_program()
    health_of(app).drain()

    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200
