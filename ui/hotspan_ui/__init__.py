"""The web UI of hotspan: a Streamlit application that talks to the API and nothing else."""
