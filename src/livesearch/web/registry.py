"""Where views find the services of the running application."""

from typing import cast

from flask import Flask, current_app

from livesearch.config import Settings
from livesearch.services import Services

_NAME = "livesearch.services"


def register_services(app: Flask, services: Services) -> None:
    """Give the application its services, once, when it is made."""
    app.extensions[_NAME] = services


def current_services() -> Services:
    """The services of the application that answers this request."""
    return cast("Services", current_app.extensions[_NAME])


def current_settings() -> Settings:
    """What the operator of the application chose."""
    return current_services().transactions.database.settings
