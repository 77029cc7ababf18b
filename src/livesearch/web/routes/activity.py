"""What goes on in all collections, for the dashboard, which asks again and again."""

from flask import Blueprint

from livesearch.domain import Scope
from livesearch.web.actors import current_actor, current_viewer
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts.activity import Activity, ActivityFragment
from livesearch.web.presenters.activity import present_activity
from livesearch.web.registry import current_services
from livesearch.web.rendering import render

blueprint = Blueprint("activity", __name__, url_prefix="/htmx")
declare(blueprint, reading=Audience.SIGNED_IN)


@blueprint.get("/activity")
async def show() -> str:
    """What was changed lately, and the imports under way."""
    return render(ActivityFragment(await current_activity()))


async def current_activity() -> Activity:
    """What whoever asks may know of what goes on."""
    services = current_services()
    sees_imports = services.policy.permits(current_actor(), Scope.EDIT)
    running = await services.import_jobs.list_running(current_viewer()) if sees_imports else ()
    return present_activity(await services.activity.recent(current_viewer()), running, sees_imports=sees_imports)
