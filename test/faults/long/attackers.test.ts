import { siegeFor } from '../support/siege.js';

siegeFor(60);
